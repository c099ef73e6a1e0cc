import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateServiceKey } from '@talaria/auth';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines, type EtcdProcess } from '@talaria/etcd/testing';
import type { Behaviour, InstanceOptions, ProcessOptions } from './behaviour.ts';
import { CONTRACT } from './contract.ts';
import type { Drive, DriverOptions } from './driver.ts';
import { end, said } from './parent.ts';
import type { CallSeen } from './record.ts';

/** One of the instances. */
export interface Instance {
  /** `127.0.0.1:41234`; it keeps it when it is started again. */
  readonly endpoint: string;
  start(): Promise<void>;
  /** Sends it a signal. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it, and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  behave(behaviour: Behaviour): Promise<void>;
  /** How many calls have reached it since it was started. */
  served(): Promise<number>;
}

/** A process that calls. */
export interface Driver {
  drive(how: Drive): void;
  /** What it has seen since it was asked last. */
  take(): Promise<readonly CallSeen[]>;
  /** Makes no more calls; what it has seen since it was asked last. */
  stop(): Promise<readonly CallSeen[]>;
  end(): Promise<void>;
}

/** Three instances, etcd, and who calls them: all of them processes. */
export interface Cluster {
  readonly instances: readonly Instance[];
  readonly etcd: EtcdProcess;
  /** A client of it. */
  readonly client: Etcd;
  driver(kind: DriverOptions['kind']): Promise<Driver>;
  /** The key under which an instance is registered. */
  keyOf(instance: Instance): string;
  /** The ids of calls that were executed more than once. */
  executedTwice(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** How a cluster is made. */
export interface ClusterOptions {
  /** Default 3. */
  readonly instances?: number;
  /** Calls that each instance works on at a time. Default 100. */
  readonly slots?: number;
  /** How long each call takes, in ms. Default 5. */
  readonly serviceMs?: number;
  /** Where the processes write their logs; they are kept. Default: nowhere. */
  readonly logs?: string | undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const has =
  <T extends string>(key: T) =>
  (message: unknown): message is Readonly<Record<T, unknown>> =>
    typeof message === 'object' && message !== null && key in message;

/** Starts etcd and the instances. */
export async function startCluster({ instances: count = 3, slots = 100, serviceMs = 5, logs }: ClusterOptions = {}): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'talaria-degradation-'));
  const etcd = await engines[0]!.start();
  const client = connectEtcd({ endpoints: etcd.endpoint, log });
  const keys = { service: await generateServiceKey('service.degradation'), driver: await generateServiceKey('service.driver') };
  const publicKeys = [keys.service.publicJwk, keys.driver.publicJwk];
  const children = new Set<ChildProcess>();
  const executedFiles: string[] = [];
  const logFiles: FileHandle[] = [];
  let processes = 0;

  const run = async (program: string, name: string, options: ProcessOptions): Promise<ChildProcess> => {
    const file = logs === undefined ? undefined : await open(join(logs, `${name}-${++processes}.log`), 'w');
    if (file) logFiles.push(file);
    const output = file?.fd ?? 'ignore';
    const child = fork(join(import.meta.dirname, program), [JSON.stringify(options)], { stdio: ['ignore', output, output, 'ipc'], env: { ...process.env, TALARIA_NAMESPACE: 'default' } });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };

  const makeInstance = async (number: number): Promise<Instance> => {
    const endpoint = `127.0.0.1:${await freePort()}`;
    let child: ChildProcess | undefined;
    const running = (): ChildProcess => {
      if (!child) throw new Error('The instance has not been started.');
      return child;
    };
    const tell = async (message: object): Promise<number> => {
      const answer = said(running(), has('served'));
      running().send(message);
      return Number((await answer).served);
    };
    return {
      endpoint,
      async start() {
        const executedFile = join(folder, `executed-${executedFiles.length}`);
        executedFiles.push(executedFile);
        const options: InstanceOptions = { etcd: etcd.endpoint, listen: `h2c://${endpoint}`, privateKey: keys.service.privateJwk, publicKeys, executedFile, slots, serviceMs };
        child = await run('instance.ts', `instance-${number}`, options);
        await said(child, has('ready'));
      },
      signal: (signal) => void running().kill(signal),
      end: (signal) => end(running(), signal),
      behave: async (behaviour) => void (await tell({ behaviour })),
      served: () => tell({ ask: 'served' }),
    };
  };

  const instances = await Promise.all(Array.from({ length: count }, (_, number) => makeInstance(number + 1)));
  const cluster: Cluster = {
    instances,
    etcd,
    client,
    async driver(kind) {
      const options: DriverOptions = { etcd: etcd.endpoint, privateKey: keys.driver.privateJwk, publicKeys, kind, addresses: instances.map(({ endpoint }) => endpoint) };
      const child = await run('driver.ts', `driver-${kind}`, options);
      await said(child, has('driving'));
      const ask = async <T extends string>(message: object, key: T): Promise<readonly CallSeen[]> => {
        const answer = said(child, has(key));
        child.send(message);
        return (await answer as unknown as { seen: readonly CallSeen[] }).seen;
      };
      return {
        drive: (how) => void child.send({ drive: how }),
        take: () => ask({ take: true }, 'seen'),
        stop: () => ask({ stop: true }, 'stopped'),
        end: () => end(child, 'SIGKILL'),
      };
    },
    keyOf: ({ endpoint }) => `talaria/default/services/${CONTRACT}/${endpoint}`,
    async executedTwice() {
      const ids = (await Promise.all(executedFiles.map((file) => readFile(file, 'utf8').catch(() => '')))).flatMap((text) => text.split('\n')).filter((id) => id !== '');
      const once = new Set<string>();
      return ids.filter((id) => once.has(id) || !once.add(id));
    },
    async stop() {
      client.close();
      await Promise.all([...children].map((child) => end(child, 'SIGKILL')));
      await etcd.stop();
      await Promise.all(logFiles.map((file) => file.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(instances.map((instance) => instance.start()));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}
