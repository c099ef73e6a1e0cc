import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '@talaria/testing';
import type { ScheduleLocks } from '../schedule-locks.ts';

/** One place that the instances of a service meet in. */
export interface LocksWorld {
  /** As another instance would open them. May be the same ones each time. */
  locks(): ScheduleLocks;
  /** Ends an instance without a word; undefined where an instance cannot end alone. */
  readonly die: ((locks: ScheduleLocks) => void) | undefined;
  stop(): Promise<void>;
}

const never = new AbortController().signal;

/** Whether a promise is pending now and a while later. */
async function staysPending(promise: Promise<unknown>, ms = 300): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise.catch(() => {}), new Promise((resolve) => setTimeout(resolve, ms, pending))])) === pending;
}

/** What every implementation of schedule locks must do. `skip`: why it cannot be tested here. */
export function locksSuite(name: string, skip: string | false, open: () => Promise<LocksWorld>): void {
  describe(`schedule locks ${name}`, { skip, concurrency: 1 }, () => {
    let world: LocksWorld;
    let one: ScheduleLocks;
    let two: ScheduleLocks;
    before(async () => {
      world = await open();
      [one, two] = [world.locks(), world.locks()];
    });
    after(async () => {
      await Promise.all([one?.close(), two?.close()]);
      await world?.stop();
    });

    it('one instance holds a lock, and the next one gets it when that lets go', async () => {
      const held = await one.acquire('service.a/clean', never);
      const waiting = two.acquire('service.a/clean', never);
      assert.ok(await staysPending(waiting));
      const other = await two.acquire('service.a/clean2', never);
      await held.release();
      const next = await waiting;
      assert.equal(next.lost.aborted, false);
      await Promise.all([next.release(), other.release()]);
    });

    it('giving up rejects with the reason, and leaves nothing behind', async () => {
      const held = await one.acquire('service.a/give-up', never);
      const stopping = new AbortController();
      const waiting = assert.rejects(two.acquire('service.a/give-up', stopping.signal), /no more/);
      stopping.abort(new Error('no more'));
      await waiting;
      await assert.rejects(two.acquire('service.a/give-up', stopping.signal), /no more/);
      await held.release();
      await (await one.acquire('service.a/give-up', never)).release();
    });

    it('a run counts for its time, whoever holds the lock by then', async () => {
      const first = await one.acquire('service.a/report', never);
      await first.due(never);
      const startedAt = performance.now();
      await first.ran(2_000);
      await first.release();
      const second = await two.acquire('service.a/report', never);
      const stopping = new AbortController();
      const abandoned = assert.rejects(second.due(stopping.signal), /no more/);
      stopping.abort(new Error('no more'));
      await abandoned;
      await second.due(never);
      // A lease may end a little late, and never early.
      assert.ok(performance.now() - startedAt > 1_950, `after ${performance.now() - startedAt} ms`);
      await second.ran(0);
      await second.due(never);
      await second.release();
    });

    it('of many that want it at once, never two hold it', async () => {
      let holders = 0;
      let most = 0;
      await Promise.all(
        Array.from({ length: 6 }, async (_, index) => {
          const lock = await (index % 2 ? one : two).acquire('service.a/crowd', never);
          most = Math.max(most, ++holders);
          await new Promise((resolve) => setTimeout(resolve, 5));
          holders--;
          await lock.release();
        }),
      );
      assert.equal(most, 1);
    });

    it('the lock of an instance that dies goes to another one, which knows what has run', async (context) => {
      if (!world.die) {
        context.diagnostic('an instance cannot die alone here');
        return;
      }
      const dying = world.locks();
      const held = await dying.acquire('service.a/heir', never);
      await held.ran(60_000);
      world.die(dying);
      const heir = await two.acquire('service.a/heir', never);
      assert.ok(await staysPending(heir.due(AbortSignal.timeout(500)), 400));
      await heir.release();
    });

    it('closing lets go of everything', async () => {
      const closing = world.locks();
      if (closing === one) return;
      const held = await closing.acquire('service.a/close', never);
      await closing.close();
      await eventually(() => held.lost.aborted);
      await (await two.acquire('service.a/close', never)).release();
    });
  });
}
