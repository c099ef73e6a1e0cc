import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The folder of the workspace that this package is part of. */
export function workspaceRoot(): string {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    if (existsSync(join(at, 'nx.json'))) return at;
    if (dirname(at) === at) throw new Error('This helper starts programs of the Talaria workspace, and there is none around it.');
  }
}

/** The program behind `nx serve`, as the workspace has it. Throws if it has none. */
export function serveProgram(): string {
  const root = workspaceRoot();
  try {
    return createRequire(join(root, 'package.json')).resolve('@talaria/serve/main');
  } catch (error) {
    throw new Error(`@talaria/serve is not installed in ${root}: run "npm install --save-dev @talaria/serve" there.`, { cause: error });
  }
}

/** A new folder that other users may enter: PostgreSQL refuses to run as root, and runs as one of them. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'talaria-')));
  await chmod(folder, 0o755);
  return folder;
}

/**
 * A port on loopback that was free a moment ago.
 *
 * Below those that systems give to outgoing connections: one of these could take it while its owner restarts, even one to that very port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** The environment for programs that tests start; `node --test` marks its own, which would change what `node` does there. */
export function childEnvironment(changes: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _marked, ...env } = process.env;
  return { ...env, ...changes };
}
