import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines, type EtcdProcess } from '@talaria/etcd/testing';
import { eventually, manualClock } from '@talaria/testing';
import { createBackground } from './background.ts';
import { etcdLocks } from './etcd-locks.ts';
import type { ScheduleLocks } from './schedule-locks.ts';
import { locksSuite } from './testing/locks-suite.ts';

const prefix = 'talaria/default/schedules/';
/** The shortest that a real etcd grants. */
const ttlSeconds = 2;
const embedded = engines[0] as (typeof engines)[number];
const never = new AbortController().signal;

// Mostly they wait for leases: at the same time.
describe('schedule locks in etcd', { concurrency: 4 }, () => {
  for (const engine of engines) {
    locksSuite(`in ${engine.name}`, engine.skip, async () => {
      const server = await engine.start();
      const clients = new Map<ScheduleLocks, Etcd>();
      return {
        locks() {
          const etcd = connectEtcd({ endpoints: server.endpoint, log });
          const locks = etcdLocks({ etcd, log, prefix, holder: `inst_${clients.size}`, ttlSeconds });
          clients.set(locks, etcd);
          return locks;
        },
        die: (locks) => clients.get(locks)?.close(),
        async stop() {
          for (const etcd of clients.values()) etcd.close();
          await server.stop();
        },
      };
    });
  }

  describe('schedule locks in an etcd that has troubles', { timeout: 60_000, concurrency: 1 }, () => {
    let server: EtcdProcess;
    let etcd: Etcd;
    let locks: ScheduleLocks;
    before(async () => {
      server = await embedded.start();
      etcd = connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 500 });
      locks = etcdLocks({ etcd, log, prefix, holder: 'inst_1', ttlSeconds });
    });
    after(async () => {
      await locks.close();
      etcd.close();
      await server.stop();
    });

    test('who holds a lock and when it ran is there to be looked at, and the lock goes with its holder', async () => {
      const lock = await locks.acquire('service.a/look', never);
      await lock.ran(1_000);
      const { entries } = await etcd.list(prefix);
      assert.deepEqual(entries.map(({ key }) => key), [`${prefix}service.a/look`, `${prefix}service.a/look/ran`]);
      assert.equal(entries[0]?.value.toString(), 'inst_1');
      assert.match(entries[1]?.value.toString() ?? '', /"instance":"inst_1","at":"\d{4}-/);
      await lock.release();
      assert.equal(await etcd.get(`${prefix}service.a/look`), undefined);
    });

    test('a lock that somebody takes away is lost', async () => {
      const lock = await locks.acquire('service.a/taken', never);
      await etcd.put(`${prefix}service.a/taken`, 'a person');
      await eventually(() => lock.lost.aborted);
      await lock.release();
      await etcd.delete(`${prefix}service.a/taken`);
    });

    test('while etcd is away a lock is held as long as its lease lasts, and no longer; then it is there to be had again', async () => {
      const lock = await locks.acquire('service.a/away', never);
      await server.kill();
      await eventually(() => lock.lost.aborted, { limitMs: 20_000 });
      assert.match((lock.lost.reason as Error).message, /could not be reached/);
      const again = locks.acquire('service.a/away', never);
      await server.restart();
      await (await again).release();
    });

    test('with its data lost, the lock is lost', async () => {
      const lock = await locks.acquire('service.a/data', never);
      await server.restart({ empty: true });
      await eventually(() => lock.lost.aborted, { limitMs: 20_000 });
      await (await locks.acquire('service.a/data', never)).release();
    });
  });

  describe('two instances of a service', { timeout: 60_000, concurrency: 1 }, () => {
    let server: EtcdProcess;
    let etcd: Etcd;
    before(async () => {
      server = await embedded.start();
      etcd = connectEtcd({ endpoints: server.endpoint, log });
    });
    after(async () => {
      etcd.close();
      await server.stop();
    });

    test('one runs a schedule; when it dies the other goes on, and repeats no run that counts still', async (context) => {
      const runs: { readonly by: string; readonly counted: boolean }[] = [];
      const counts = async (): Promise<boolean> => (await etcd.get(`${prefix}service.b/clean/ran`)) !== undefined;
      const instance = (name: string): Etcd => {
        const client = connectEtcd({ endpoints: server.endpoint, log });
        const own = etcdLocks({ etcd: client, log, prefix, holder: name, ttlSeconds });
        // Clocks that stand still: the second instance can know only from etcd what has run, and for how long it counts.
        const background = createBackground({ service: 'service.b', log, clock: manualClock(), locks: () => own, tracer: () => undefined, addChecker: () => {} });
        // Longer than the lock of an instance that died: the other one has it while the run of the first counts still.
        background.every('5s', 'clean', async () => void runs.push({ by: name, counted: await counts() }));
        background.start();
        context.after(async () => {
          await background.stopSchedules();
          client.close();
        });
        return client;
      };
      const one = instance('one');
      await eventually(counts);
      instance('two');
      one.close();
      await eventually(() => runs.length === 2, { limitMs: 30_000 });
      assert.deepEqual(runs, [
        { by: 'one', counted: false },
        { by: 'two', counted: false },
      ]);
    });
  });
});
