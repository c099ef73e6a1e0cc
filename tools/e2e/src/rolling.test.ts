import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { generateServiceKey, serviceKeyFrom, staticKeys } from '@talaria/auth';
import { engines, type EtcdProcess } from '@talaria/etcd/testing';
import { createService, resumable, type Service } from '@talaria/service';
import { eventually } from './harness.ts';
import { CONTRACT, RollingDefinition } from './rolling/contract.ts';

const INSTANCES = 3;
const LIMITS = { limitMs: 120_000 };

let etcd: EtcdProcess;
let driver: Service;
let start: () => Promise<ChildProcess>;
const children = new Set<ChildProcess>();

/** Waits for what an instance says. */
async function says(child: ChildProcess, what: string): Promise<void> {
  const gone = new AbortController();
  child.once('exit', (code, signal) => gone.abort(new Error(`an instance ended with ${signal ?? code}`)));
  for (;;) if ((await once(child, 'message', { signal: gone.signal }))[0] === what) return;
}

before(async () => {
  etcd = await engines[0]!.start();
  const keys = { service: await generateServiceKey('service.rolling'), driver: await generateServiceKey('service.driver') };
  const publicKeys = [keys.service.publicJwk, keys.driver.publicJwk];
  start = async () => {
    const options = { etcd: etcd.endpoint, privateKey: keys.service.privateJwk, publicKeys };
    const child = fork(join(import.meta.dirname, 'rolling/instance.ts'), [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, TALARIA_NAMESPACE: 'default' } });
    children.add(child);
    child.once('exit', () => children.delete(child));
    await says(child, 'ready');
    return child;
  };
  driver = createService({
    name: 'service.driver',
    description: 'Calls',
    version: '1.0.0',
    platform: { env: { ETCD_ENDPOINTS: etcd.endpoint, LOG_LEVEL: 'error' }, listen: 'h2c://127.0.0.1:0', keys: await staticKeys({ keys: publicKeys }), key: await serviceKeyFrom(keys.driver.privateJwk) },
  });
  await driver.start();
});
after(async () => {
  await driver?.stop();
  for (const child of children) child.kill('SIGKILL');
  await etcd?.stop();
});

/** Calls and streams that go on until they are stopped, and what became of them. */
function load() {
  const client = driver.client(RollingDefinition);
  const stopping = new AbortController();
  const { signal } = stopping;
  const failures: unknown[] = [];
  let calls = 0;
  const call = async (): Promise<void> => {
    while (!signal.aborted) await client.work('').then(() => calls++, (error: unknown) => failures.push(error));
  };
  const got: number[][] = [];
  const stream = async (open: 'count' | 'countPolitely'): Promise<void> => {
    const mine: number[] = [];
    got.push(mine);
    const messages = resumable((from: string | undefined, options) => client[open](from ?? '0', { ...options, timeoutMs: 600_000 }), { position: (message) => message });
    try {
      for await (const message of messages) {
        mine.push(Number(message));
        if (signal.aborted) return;
      }
      failures.push(new Error('an endless stream ended'));
    } catch (error) {
      failures.push(error);
    }
  };
  const running = Promise.all([...Array.from({ length: 6 }, call), ...Array.from({ length: 3 }, () => stream('count')), ...Array.from({ length: 3 }, () => stream('countPolitely'))]);
  const moves = async (): Promise<void> => {
    const [was, counted] = [got.map(({ length }) => length), calls];
    await eventually(() => calls > counted + 20 && got.length === 6 && got.every(({ length }, index) => length > (was[index] ?? 0) + 5), LIMITS);
  };
  return {
    moves,
    async check(): Promise<void> {
      await moves();
      stopping.abort();
      await running;
      assert.deepEqual(failures, []);
      for (const numbers of got) assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, index) => index + 1), 'a stream lost or doubled messages');
    },
  };
}

describe('instances that are replaced one after the other, under load', { timeout: 600_000 }, () => {
  const all = (): Promise<unknown> => eventually(() => driver.endpoints(CONTRACT)?.length === INSTANCES, LIMITS);
  let instances: ChildProcess[];
  before(async () => {
    instances = await Promise.all(Array.from({ length: INSTANCES }, () => start()));
    await all();
  });

  test('by SIGTERM: no call fails, and no stream loses or doubles a message', async () => {
    const made = load();
    for (const [index, old] of instances.entries()) {
      await made.moves();
      const gone = once(old, 'exit');
      old.kill('SIGTERM');
      assert.deepEqual(await gone, [0, null]);
      instances[index] = await start();
      await all();
    }
    await made.check();
  });

  test('by removing the contract and adding it again: just so', async () => {
    const made = load();
    for (const instance of instances) {
      await made.moves();
      const removed = says(instance, 'removed');
      instance.send('remove');
      await removed;
      instance.send('add');
      await all();
    }
    await made.check();
  });
});
