// The servers that the suites run against: ours, and the real etcd where it is installed.
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Client } from '@grpc/grpc-js';
import { startEtcd, type EtcdServer } from '../start.ts';

/** A server to test. */
export interface Engine {
  readonly name: string;
  /** Why it cannot run here; false if it can. For the `skip` option of a test. */
  readonly skip: string | false;
  start(): Promise<EtcdServer>;
}

/** Why a program that tests want is missing; false if it is there. Where `CI=true` promises it, its absence fails instead. */
export function missing(program: string): string | false {
  if (spawnSync(program, ['--version'], { timeout: 10_000 }).error === undefined) return false;
  if (process.env['CI'] === 'true') throw new Error(`CI=true promises ${program}, but it is not on the PATH: install it (Debian: etcd-server, etcd-client).`);
  return `${program} is not on the PATH`;
}

/** Below those of outgoing connections, which could take it before etcd does. */
async function freePort(): Promise<number> {
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

async function startReal(): Promise<EtcdServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'etcd-real-'));
  const address = `127.0.0.1:${await freePort()}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'etcd',
    [
      ...['--data-dir', dataDir, '--listen-client-urls', `http://${address}`, '--advertise-client-urls', `http://${address}`],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
    ],
    { stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  const client = new Client(address, credentials.createInsecure());
  await new Promise<void>((resolve, reject) => client.waitForReady(Date.now() + 60_000, (error) => (error ? reject(error) : resolve())));
  client.close();
  return {
    address,
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Ours, in memory. */
export const ours: Engine = { name: 'ours', skip: false, start: () => startEtcd({ inMemory: true }) };
/** etcd itself. */
export const real: Engine = { name: 'etcd', skip: missing('etcd'), start: startReal };
