import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { etcdElections } from '@talaria/discovery';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines } from '@talaria/etcd/testing';
import { eventually, manualClock } from '@talaria/testing';
import { createBackground } from './background.ts';

test('one instance runs a schedule in etcd; when it dies the other goes on, and repeats no run that counts still', { timeout: 60_000 }, async (context) => {
  const server = await engines[0]!.start();
  const etcd = connectEtcd({ endpoints: server.endpoint, log });
  context.after(async () => {
    etcd.close();
    await server.stop();
  });
  const runs: { readonly by: string; readonly counted: boolean }[] = [];
  const counts = async (): Promise<boolean> => (await etcd.get('talaria/default/schedules/service.b/clean/ran')) !== undefined;
  const instance = (name: string): Etcd => {
    const client = connectEtcd({ endpoints: server.endpoint, log });
    const elections = etcdElections({ etcd: client, log, service: 'service.b', instance: name, ttlSeconds: 2 });
    // Clocks that stand still: the second instance can know only from etcd what has run, and for how long it counts.
    const background = createBackground({ log, clock: manualClock(), elections: () => elections, tracer: () => undefined, addChecker: () => {} });
    // Longer than an instance that died leads on: the other one is elected while the run of the first counts still.
    background.every('5s', 'clean', async () => void runs.push({ by: name, counted: await counts() }));
    background.start();
    context.after(async () => {
      await background.stopSchedules();
      await elections.close();
      client.close();
    });
    return client;
  };
  const one = instance('one');
  await eventually(counts, { limitMs: 20_000 });
  instance('two');
  one.close();
  await eventually(() => runs.length === 2, { limitMs: 30_000 });
  assert.deepEqual(runs, [
    { by: 'one', counted: false },
    { by: 'two', counted: false },
  ]);
});
