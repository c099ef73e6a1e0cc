import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real etcd server, for tests that do things to it. */
export interface RealEtcd {
  readonly endpoint: string;
  /** kill -9. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port; resolves when it answers. `empty`: with all its data lost. */
  restart(options?: { readonly empty?: boolean }): Promise<void>;
  /** SIGSTOP. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Kills it and removes its data. */
  stop(): Promise<void>;
}

/** Why a test that needs a real etcd cannot run; `false` if it can. With `CI=true` it must: there, its absence fails the test. */
export function withoutRealEtcd(): string | false {
  if (process.env['CI'] === 'true' || spawnSync('etcd', ['--version']).status === 0) return false;
  return 'there is no etcd on this machine (Debian: apt-get install etcd-server)';
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const START_LIMIT_MS = 30_000;

/** Starts `etcd` on free ports of loopback, in a folder of its own. Resolves when it answers. */
export async function startRealEtcd(): Promise<RealEtcd> {
  const folder = await mkdtemp(join(tmpdir(), 'talaria-etcd-'));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  let generation = 0;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const args = ['--name=test', `--data-dir=${join(folder, String(generation))}`, `--listen-client-urls=${endpoint}`, `--advertise-client-urls=${endpoint}`];
    args.push(`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=test=${peer}`, '--log-level=error');
    child = spawn('etcd', args, { stdio: 'ignore' });
    child.on('error', () => {});
    const limit = Date.now() + START_LIMIT_MS;
    while (Date.now() < limit && child.exitCode === null) {
      const answer = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
      if (answer?.ok && ((await answer.json()) as { health: string }).health === 'true') return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`etcd did not come up at ${endpoint}`);
  };

  const kill = async (): Promise<void> => {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };

  await start().catch(async (error: unknown) => {
    await kill();
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    endpoint,
    kill,
    async restart({ empty = false } = {}) {
      await kill();
      if (empty) generation++;
      await start();
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
