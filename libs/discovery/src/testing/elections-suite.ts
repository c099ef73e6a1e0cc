import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Leadership } from '@talaria/base';
import { hasCode } from '@talaria/errors';
import { eventually } from '@talaria/etcd/testing';
import type { ServiceElections } from '../index.ts';

/** One place that the instances of services meet in. */
export interface ElectionsWorld {
  /** As an instance of the service would open them. */
  of(service: string): ServiceElections;
  /** Ends an instance without a word; undefined where an instance cannot end alone. */
  readonly die: ((elections: ServiceElections) => void) | undefined;
  stop(): Promise<void>;
}

/** Not aborted by anybody. */
export const never = new AbortController().signal;

/** Whether a promise is pending now and a while later. */
export async function staysPending(promise: Promise<unknown>, ms = 300): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise.catch(() => {}), new Promise((resolve) => setTimeout(resolve, ms, pending))])) === pending;
}

/** Campaigns, and resigns at the end of the test whatever becomes of it. */
async function lead(context: TestContext, elections: ServiceElections, name: string): Promise<Leadership> {
  const leadership = await elections.campaign(name);
  context.after(() => leadership.resign());
  return leadership;
}

/** What every implementation of elections must do. `skip`: why it cannot be tested here. */
export function electionsSuite(name: string, skip: string | false, open: () => Promise<ElectionsWorld>): void {
  describe(`elections ${name}`, { skip, concurrency: 1, timeout: 120_000 }, () => {
    let world: ElectionsWorld;
    let one: ServiceElections;
    let two: ServiceElections;
    before(async () => {
      world = await open();
      [one, two] = [world.of('service.a'), world.of('service.a')];
    });
    after(async () => {
      await Promise.all([one?.close(), two?.close()]);
      await world?.stop();
    });

    it('one candidate leads, and the next one wins when it resigns, with a higher token', async (context) => {
      const leader = await lead(context, one, 'clean');
      const waiting = lead(context, two, 'clean');
      assert.ok(await staysPending(waiting));
      await lead(context, two, 'clean2');
      assert.ok(leader.isHeld());
      await leader.resign();
      assert.ok(leader.lost.aborted && !leader.isHeld());
      assert.ok(hasCode(leader.lost.reason, 'conflict.fenced'), String(leader.lost.reason));
      const next = await waiting;
      assert.ok(next.isHeld() && !next.lost.aborted);
      assert.ok(next.token > leader.token, `${next.token} after ${leader.token}`);
      assert.equal(next.name, leader.name);
      await leader.resign();
      assert.ok(next.isHeld(), 'who resigns again takes nothing from its successor');
    });

    it('campaigns of one program exclude each other, and services have elections of their own', async (context) => {
      const leader = await lead(context, one, 'alone');
      const again = lead(context, one, 'alone');
      const other = world.of('service.b');
      const elsewhere = await other.campaign('alone');
      assert.notEqual(elsewhere.name, leader.name);
      assert.ok(await staysPending(again, 100));
      await leader.resign();
      await again;
      await other.close();
      assert.ok(elsewhere.lost.aborted);
    });

    it('giving up rejects with the reason, and leaves nothing behind', async (context) => {
      const leader = await lead(context, one, 'give-up');
      const stopping = new AbortController();
      const waiting = assert.rejects(two.campaign('give-up', stopping.signal), /no more/);
      stopping.abort(new Error('no more'));
      await waiting;
      await assert.rejects(two.campaign('give-up', stopping.signal), /no more/);
      await leader.resign();
      const winning = new AbortController();
      const next = await one.campaign('give-up', winning.signal);
      winning.abort(new Error('too late'));
      assert.ok(next.isHeld(), 'the signal has no say once it has won');
      await next.resign();
    });

    it('what is no name is refused', async () => {
      for (const wrong of ['a/b', '', 'a\nb', 'x'.repeat(101)]) await assert.rejects(one.campaign(wrong), /is no name of an election: use up to 100 characters without "\/"/);
      await (await one.campaign(' what people say: Ünï ')).resign();
    });

    it('a leader that is told of a later one ends, and the next has a higher token than that', async (context) => {
      const leader = await lead(context, one, 'raised');
      leader.refused(leader.token);
      leader.refused(leader.token - 1n);
      assert.ok(leader.isHeld(), 'it was told of nobody later');
      const seen = leader.token + (1_000_000n << 64n) + 5n;
      leader.refused(seen);
      assert.ok(leader.lost.aborted);
      const next = await lead(context, two, 'raised');
      assert.ok(next.token > seen, `${next.token} after ${seen}`);
      // Overtaken, and finds out late: it changes nothing.
      leader.refused(seen + (5_000_000n << 64n));
      await next.resign();
      const last = await lead(context, two, 'raised');
      assert.ok(last.token > next.token && last.token < seen + (5_000_000n << 64n));
    });

    it('a run counts for its time, whoever leads by then, and only who leads may say so', async (context) => {
      const first = await lead(context, one, 'report');
      await one.runs.due('report', never);
      const startedAt = performance.now();
      await one.runs.ran('report', first, 2_000);
      await first.resign();
      const second = await lead(context, two, 'report');
      await assert.rejects(one.runs.ran('report', first, 60_000), /another instance's by now/);
      const stopping = new AbortController();
      const abandoned = assert.rejects(two.runs.due('report', stopping.signal), /no more/);
      stopping.abort(new Error('no more'));
      await abandoned;
      await two.runs.due('report', never);
      // A lease may end a little late, and never early.
      assert.ok(performance.now() - startedAt > 1_900, `after ${performance.now() - startedAt} ms`);
      await two.runs.ran('report', second, 0);
      await two.runs.due('report', never);
    });

    it('of many that want it at once, never two lead, and all get their turn', async () => {
      const candidates = [one, two, world.of('service.a')];
      let leaders = 0;
      let turns = 0;
      let last = 0n;
      await Promise.all(
        Array.from({ length: 9 }, async (_, index) => {
          const leadership = await candidates[index % 3]!.campaign('crowd');
          assert.equal(++leaders, 1);
          assert.ok(leadership.token > last);
          last = leadership.token;
          await new Promise((resolve) => setTimeout(resolve, 5));
          turns++;
          leaders--;
          await leadership.resign();
        }),
      );
      assert.equal(turns, 9);
      await candidates[2]!.close();
    });

    it('what an instance led that dies goes to another one, which knows what has run', async (context) => {
      if (!world.die) {
        context.diagnostic('an instance cannot die alone here');
        return;
      }
      const dying = world.of('service.a');
      const leader = await dying.campaign('heir');
      await dying.runs.ran('heir', leader, 60_000);
      world.die(dying);
      const heir = await lead(context, two, 'heir');
      assert.ok(leader.lost.aborted && heir.token > leader.token);
      assert.ok(await staysPending(two.runs.due('heir', AbortSignal.timeout(500)), 400));
    });

    it('closing gives up everything, and ends campaigns', async (context) => {
      const closing = world.of('service.a');
      const leader = await closing.campaign('close');
      const waiting = assert.rejects(closing.campaign('close'), /closed/);
      await closing.close();
      await waiting;
      await assert.rejects(closing.campaign('close'), /closed/);
      await eventually('it is lost', () => leader.lost.aborted);
      await lead(context, two, 'close');
    });
  });
}
