import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { manifestOf, readTarball } from './tarball.ts';

/** An npm registry on loopback, with a folder's tarballs and nothing else. */
export interface TestRegistry {
  /** With a slash at its end, as npm writes it: the value of the setting `@talaria:registry`. */
  readonly url: string;
  /** The environment for npm, npx and what they start: the scope @talaria comes from here, all else from where it always does. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Version {
  readonly manifest: ReturnType<typeof manifestOf>;
  /** The name of the tarball. */
  readonly file: string;
  readonly bytes: Buffer;
}

function readVersions(tarballDir: string): readonly Version[] {
  return globSync('*.tgz', { cwd: tarballDir }).map((file) => {
    const path = join(tarballDir, file);
    return { manifest: manifestOf(readTarball(path)), file, bytes: readFileSync(path) };
  });
}

function digest(algorithm: string, bytes: Buffer, encoding: 'base64' | 'hex'): string {
  return createHash(algorithm).update(bytes).digest(encoding);
}

/** What a registry says of a package: https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
function packument(name: string, versions: readonly Version[], url: string): object {
  const own = versions.filter(({ manifest }) => manifest.name === name);
  return {
    name,
    'dist-tags': { latest: own.at(-1)?.manifest.version },
    versions: Object.fromEntries(
      own.map(({ manifest, file, bytes }) => [
        manifest.version,
        { ...manifest, _id: `${name}@${manifest.version}`, dist: { tarball: `${url}-/${file}`, integrity: `sha512-${digest('sha512', bytes, 'base64')}`, shasum: digest('sha1', bytes, 'hex') } },
      ]),
    ),
  };
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/**
 * Starts a registry that has the tarballs of `tarballDir` as they are now. It answers for packages and tarballs, with integrity;
 * anything else is 404. It keeps no process alive.
 */
export async function startTestRegistry(tarballDir: string): Promise<TestRegistry> {
  const versions = readVersions(tarballDir);
  let url = '';
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://registry').pathname).slice(1);
    const tarball = versions.find(({ file }) => path === `-/${file}`);
    if (tarball) send(response, 200, 'application/octet-stream', tarball.bytes);
    else if (versions.some(({ manifest }) => manifest.name === path)) send(response, 200, 'application/json', JSON.stringify(packument(path, versions, url)));
    else send(response, 404, 'application/json', JSON.stringify({ error: `There is no ${path} in ${tarballDir}.` }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    env: { 'npm_config_@talaria:registry': url },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
