import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd } from '../index.ts';
import { freeHost } from './free-host.ts';

/** An etcd server of its own, for tests that do things to it. */
export interface EtcdProcess {
  readonly endpoint: string;
  /** kill -9. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Kills it if it runs and starts it again, on the same port; resolves when it answers. `empty`: with all its data lost. */
  restart(options?: { readonly empty?: boolean }): Promise<void>;
  /** SIGSTOP. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Kills it and removes its data. */
  stop(): Promise<void>;
}

/** One kind of etcd. */
export interface Engine {
  readonly name: string;
  /** Why it cannot be had here, or `false`. */
  readonly skip: string | false;
  /** Resolves when it answers, on free ports of loopback. */
  start(): Promise<EtcdProcess>;
}

type Command = (options: { readonly host: string; readonly peer: string; readonly folder: string }) => readonly [command: string, ...args: string[]];

const embedded: Command = ({ host, folder }) => {
  const script = `
    import { startEtcd } from '@talaria/etcd-server';
    process.on('disconnect', () => process.exit());
    await startEtcd(${JSON.stringify({ listen: host, dataDir: folder })});`;
  return [process.execPath, '--input-type=module', '-e', script];
};

const real: Command = ({ host, peer, folder }) => {
  const [client, other] = [`http://${host}`, `http://${peer}`];
  const listen = ['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', other, '--initial-advertise-peer-urls', other];
  return ['etcd', '--name', 'test', '--data-dir', folder, '--initial-cluster', `test=${other}`, '--log-level', 'error', ...listen];
};

/** With `CI=true` it must be there: then its absence fails the tests. */
function withoutRealEtcd(): string | false {
  if (process.env['CI'] === 'true' || spawnSync('etcd', ['--version']).status === 0) return false;
  return 'there is no etcd on this machine (Debian: apt-get install etcd-server)';
}

/** Every engine of the seam: the embedded default, and etcd itself where it is installed. */
export const engines: readonly Engine[] = [
  { name: 'the embedded etcd', skip: false, start: () => startProcess(embedded) },
  { name: 'a real etcd', skip: withoutRealEtcd(), start: () => startProcess(real) },
];

const START_LIMIT_MS = 60_000;

async function startProcess(command: Command): Promise<EtcdProcess> {
  const root = await mkdtemp(join(tmpdir(), 'talaria-etcd-'));
  const [host, peer] = [await freeHost(), await freeHost()];
  let generation = 0;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const [file, ...args] = command({ host, peer, folder: join(root, String(generation)) });
    // The channel ends the embedded one if this process dies.
    const started = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], cwd: import.meta.dirname });
    child = started;
    let failure: Error | undefined;
    started.once('error', (error) => (failure = error));
    let said = '';
    started.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    (started.stderr as Socket | null)?.unref();
    started.unref();
    started.channel?.unref();
    const client = connectEtcd({ endpoints: host, log, requestTimeoutMs: 1000 });
    try {
      const limit = performance.now() + START_LIMIT_MS;
      for (;;) {
        const answers = await client.list('probe/').then(
          () => true,
          // With authentication on, that is an answer too.
          (error: Error) => error.message.includes('ETCD_USERNAME'),
        );
        if (answers) return;
        if (failure || started.exitCode !== null || performance.now() > limit) throw new Error(`etcd (${file}) did not come up at ${host}: ${said}`, { cause: failure });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      client.close();
    }
  };

  const kill = async (): Promise<void> => {
    const running = child;
    if (!running?.pid || running.exitCode !== null || running.signalCode !== null) return;
    running.ref();
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };

  const stop = async (): Promise<void> => {
    await kill();
    await rm(root, { recursive: true, force: true });
  };

  await start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    endpoint: `http://${host}`,
    kill,
    async restart({ empty = false } = {}) {
      await kill();
      if (empty) generation++;
      await start();
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop,
  };
}
