import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { bundle } from './bundle.ts';

describe('bundle', () => {
  it('makes one file that runs far from node_modules, etcd client and all', async (t) => {
    // Below this package, so that its imports are found.
    const cache = join(import.meta.dirname, '../node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'bundle-'));
    const elsewhere = mkdtempSync(join(tmpdir(), 'talaria-bundle-'));
    t.after(() => {
      rmSync(folder, { recursive: true, force: true });
      rmSync(elsewhere, { recursive: true, force: true });
    });
    mkdirSync(join(folder, 'src'));
    // Asks an etcd that is not there: that needs the service definitions of its proto file.
    writeFileSync(
      join(folder, 'src/main.ts'),
      `import { Etcd3 } from 'etcd3';
       import pg from 'pg';
       const etcd = new Etcd3({ hosts: process.argv[2] as string });
       const failure = await etcd.get('key').exec({ deadline: Date.now() + 5000 }).catch((error: Error) => error.constructor.name);
       console.log(JSON.stringify({ failure, pool: typeof pg.Pool, url: import.meta.url.endsWith('main.js') }));
       etcd.close();`,
    );
    await bundle(folder);
    assert.ok(existsSync(join(folder, 'dist/main.js.map')));
    cpSync(join(folder, 'dist'), elsewhere, { recursive: true });
    writeFileSync(join(elsewhere, 'package.json'), '{"type":"module"}');

    const server = createServer();
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)));
    await new Promise((resolve) => server.close(resolve));
    const { stdout } = await promisify(execFile)(process.execPath, ['main.js', `127.0.0.1:${port}`], { cwd: elsewhere, timeout: 20_000 });
    assert.deepEqual(JSON.parse(stdout), { failure: 'GRPCUnavailableError', pool: 'function', url: true });
  });
});
