import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startCluster, type Cluster, type Driver, type Instance } from './cluster.ts';
import type { Drive } from './driver.ts';
import { broken, dataLost, failing, frozen, killed, missing, mute, rolling, slow, withoutEtcd, type Fault } from './faults.ts';
import { now, pause } from './parent.ts';
import { shareOf, type CallSeen } from './record.ts';

/** No call fails for lack of time on a machine that is busy. */
const DRIVE: Drive = { rate: 60, writes: 10, deadlineMs: 20_000 };
const LIMIT_MS = 60_000;
const WINDOW_MS = 1_000;

/** What a driver has seen so far, kept up to date while a condition is waited for. */
function watch(driver: Driver): { readonly calls: CallSeen[]; until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> } {
  const calls: CallSeen[] = [];
  return {
    calls,
    async until(what, condition) {
      for (const limit = now() + LIMIT_MS; ; ) {
        calls.push(...(await driver.take()));
        if (await condition()) return;
        if (now() > limit) assert.fail(`not within ${LIMIT_MS} ms: ${what}; the last calls: ${JSON.stringify(calls.slice(-5))}`);
        await pause(100);
      }
    },
  };
}

const errors = (calls: readonly CallSeen[]): string[] => calls.filter(({ error }) => error !== '').map(({ error }) => error);

describe('a caller of three instances', { timeout: 600_000 }, () => {
  let cluster: Cluster;
  let driver: Driver;
  let victim: Instance;
  before(async () => {
    cluster = await startCluster();
    driver = await cluster.driver('talaria');
    victim = cluster.instances[0]!;
  });
  after(() => cluster?.stop());

  const lastShare = (calls: readonly CallSeen[]): number => shareOf(calls, victim.endpoint, now() - WINDOW_MS, now());
  /** Drives while something is done, and answers what was seen. */
  async function driving(work: (seen: ReturnType<typeof watch>) => Promise<void>, drive: Drive = DRIVE): Promise<readonly CallSeen[]> {
    const seen = watch(driver);
    driver.drive(drive);
    await seen.until('every instance gets calls', () => cluster.instances.every(({ endpoint }) => shareOf(seen.calls, endpoint, now() - WINDOW_MS, now()) > 0.1));
    await work(seen);
    seen.calls.push(...(await driver.stop()));
    assert.deepEqual(await cluster.executedTwice(), [], 'a call that must not be made twice was executed twice');
    return seen.calls;
  }

  for (const fault of [killed, frozen, failing, slow, mute()] satisfies Fault[]) {
    it(`notices nothing of one with: ${fault.name}; it leaves the rotation, and returns`, async () => {
      const calls = await driving(async ({ calls: seen, until }) => {
        const from = now();
        await fault.begin(cluster, victim);
        await until('it is out of rotation', () => now() - from > WINDOW_MS && lastShare(seen) < 0.1);
        await fault.end(cluster, victim);
        await until('it is back', () => lastShare(seen) > 0.2);
      });
      assert.deepEqual(errors(calls), []);
    });
  }

  it('goes on calling one that answers NOT_FOUND: that is an answer', async () => {
    const calls = await driving(async ({ calls: seen, until }) => {
      await missing.begin(cluster, victim);
      const from = now();
      await until('two hundred calls were answered', () => seen.filter(({ at }) => at > from).length > 200);
      assert.ok(shareOf(seen, victim.endpoint, from, now()) > 0.2);
      await missing.end(cluster, victim);
    });
    assert.deepEqual([...new Set(errors(calls))], ['not_found.degradation']);
  });

  it('notices nothing of a rolling restart of all three', async () => {
    assert.deepEqual(errors(await driving(() => rolling.begin(cluster, victim))), []);
  });

  it('notices nothing while etcd is gone, nor when its data is lost', async () => {
    const calls = await driving(async ({ calls: seen, until }) => {
      await withoutEtcd.begin(cluster, victim);
      const from = now();
      await until('a hundred calls were answered', () => seen.filter(({ at }) => at > from).length > 100);
      await withoutEtcd.end(cluster, victim);
      await dataLost.begin(cluster, victim);
      await until('all are registered again', async () => {
        const found = await Promise.all(cluster.instances.map((instance) => cluster.client.list(cluster.keyOf(instance)).catch(() => ({ entries: [] }))));
        return found.every(({ entries }) => entries.length > 0);
      });
    });
    assert.deepEqual(errors(calls), []);
  });

  it('spares those that all fail, and finds them again', async () => {
    const served = async (): Promise<number> => (await Promise.all(cluster.instances.map((instance) => instance.served()))).reduce((sum, each) => sum + each, 0);
    await driving(async ({ calls: seen, until }) => {
      const before = await served();
      const from = now();
      await Promise.all(cluster.instances.map((instance) => broken.begin(cluster, instance)));
      await until('calls are answered without being sent', () => seen.filter(({ at, attempts }) => at > from && attempts.length === 0).length > 100);
      const offered = seen.filter(({ at }) => at >= from).length * (1 + DRIVE.writes / DRIVE.rate);
      const reached = (await served()) - before;
      assert.ok(reached <= offered * 1.25 + 20, `${reached} calls reached them of ${offered}`);
      await Promise.all(cluster.instances.map((instance) => broken.end(cluster, instance)));
      const healed = now();
      await until('calls succeed again', () => seen.filter(({ at, error }) => at > healed && error === '').length > 100);
    });
  });
});

describe('instances with more calls than they have room for', { timeout: 300_000 }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({ slots: 5, serviceMs: 100 });
  });
  after(() => cluster?.stop());

  it('refuse some, but hardly those that are critical, and serve all again afterwards', async () => {
    const driver = await cluster.driver('talaria');
    const capacity = 150;
    const offered: Drive = { rate: 3 * capacity, writes: 0, deadlineMs: 2_000, critical: 0.2 };
    const seen = watch(driver);
    driver.drive(offered);
    await seen.until('calls are refused', () => errors(seen.calls).length > 500);
    const hit = [...seen.calls, ...(await driver.stop())];
    const served = (calls: readonly CallSeen[]): number => calls.filter(({ error }) => error === '').length / calls.length;
    const [critical, others] = [served(hit.filter((call) => call.critical)), served(hit.filter((call) => !call.critical))];
    assert.ok(critical > 0.9 && critical > others, `served: ${critical} of the critical ones, ${others} of the others`);
    const calm = watch(driver);
    driver.drive({ ...offered, rate: capacity / 3 });
    await calm.until('all are served again', () => calm.calls.length > 100 && calm.calls.slice(-50).every(({ error }) => error === ''));
    await driver.stop();
  });
});
