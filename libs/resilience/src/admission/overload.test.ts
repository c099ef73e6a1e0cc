import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Priority } from '@talaria/rpc';
import { simulatedServer, slots, waits, type SimulatedCall, type Work } from '../testing/simulated-server.ts';
import { simulatedTime, type SimulatedTime } from '../testing/simulated-time.ts';
import { admission, type AdaptiveAdmission } from './admission.ts';

interface Scene {
  readonly time: SimulatedTime;
  readonly admission: AdaptiveAdmission;
  readonly server: ReturnType<typeof simulatedServer>;
}

function scene(work: (time: SimulatedTime) => Work, seed = 1, heeds = true): Scene {
  const time = simulatedTime(seed);
  const made = admission({ clock: time, caller: (call) => call.header('x-caller') });
  return { time, admission: made, server: simulatedServer(time, made, work(time), heeds) };
}

/** A fifth is critical, a fifth may be shed. */
const priorityOf = (count: number): Priority | undefined => (count % 5 === 0 ? 'critical' : count % 5 === 1 ? 'sheddable' : undefined);

/** Ten quiet seconds at 60 % of what it can, `seconds` with `times` as much as it can, then ten more quiet ones. */
function overload({ time, server }: Scene, capacity: number, times: number, seconds: number, call: (count: number) => SimulatedCall = (count) => ({ priority: priorityOf(count) })) {
  const offer = (share: number, untilMs: number): void => {
    time.arrivals(capacity * share, untilMs, (count) => server.call(call(count)));
    time.runUntil(untilMs);
  };
  const take = () => {
    const taken = { all: { ...server.outcomes() }, critical: { ...server.outcomes('critical') }, default: { ...server.outcomes('none') }, sheddable: { ...server.outcomes('sheddable') } };
    server.forget();
    return taken;
  };
  offer(0.6, 10_000);
  const before = take();
  offer(times, 10_000 + seconds * 1000);
  const during = take();
  offer(0.6, time.monotonic() + 2_000);
  take();
  offer(0.6, time.monotonic() + 8_000);
  return { before, during, after: take() };
}

describe('overload', () => {
  for (const [count, ms, seed] of [
    [20, 50, 1],
    [20, 50, 2],
    [20, 50, 3],
    [5, 50, 1],
    [10, 100, 1],
    [10, 100, 2],
    [10, 100, 3],
    [100, 50, 1],
    [40, 20, 1],
  ] as const) {
    it(`three times what ${count} slots of ${ms} ms can do (${seed}): they stay busy, critical calls are served, and it is over when it is over`, () => {
      const capacity = (count * 1000) / ms;
      const { before, during, after } = overload(scene((time) => slots(time, count, () => ms), seed), capacity, 3, 30);
      assert.equal(before.all.refused + before.all.late, 0, 'before');
      assert.ok(during.all.served >= 0.9 * capacity * 30, `${during.all.served} of ${capacity * 30}`);
      const over = during.critical.served + during.critical.refused + during.critical.late;
      assert.ok(during.critical.served >= 0.99 * over, `${during.critical.served} critical ones of ${over}`);
      assert.ok(during.default.served / during.default.offered > 3 * (during.sheddable.served / during.sheddable.offered), 'sheddable ones go first');
      assert.equal(after.all.refused + after.all.late, 0, 'two seconds after');
    });
  }

  it('is seen although calls differ', () => {
    const { during, after } = overload(scene((time) => slots(time, 20, () => -Math.log(1 - time.random()) * 50)), 400, 3, 30);
    assert.ok(during.all.served >= 0.9 * 400 * 30, `${during.all.served}`);
    assert.ok(during.critical.served >= 0.99 * during.critical.offered, `${during.critical.served} of ${during.critical.offered}`);
    assert.equal(after.all.refused + after.all.late, 0);
  });

  it('is seen although handlers go on when nobody waits for them any more', () => {
    for (const times of [3, 6]) {
      const { during, after } = overload(scene((time) => slots(time, 10, () => 100), 1, false), 100, times, 30);
      assert.ok(during.all.served >= 0.9 * 100 * 30, `${during.all.served}`);
      assert.equal(after.all.refused + after.all.late, 0);
    }
  });

  it('keeps the wait short: calls are refused, not queued', () => {
    const all = scene((time) => slots(time, 20, () => 50));
    all.time.arrivals(1_200, 30_000, () => all.server.call({}));
    all.time.runUntil(30_000);
    const { limit, inFlight, rttMs = 0 } = all.admission.describe();
    assert.ok(limit < 100, `a limit of ${limit}`);
    assert.ok(inFlight <= limit * 1.5 && inFlight >= 20, `${inFlight} in flight`);
    assert.ok(rttMs < 250, `${rttMs} ms`);
  });

  it('of ten times as much still does what it can, in time', () => {
    const { during, after } = overload(scene((time) => slots(time, 20, () => 50)), 400, 10, 30);
    assert.ok(during.all.served >= 0.85 * 400 * 30, `${during.all.served}`);
    assert.equal(after.all.refused + after.all.late, 0);
  });

  it('of critical calls alone is shed as well', () => {
    const { during } = overload(scene((time) => slots(time, 20, () => 50)), 400, 3, 20, () => ({ priority: 'critical' }));
    assert.ok(during.all.served >= 0.9 * 400 * 20, `${during.all.served}`);
    assert.ok(during.all.late <= 0.05 * during.all.offered, `${during.all.late} late`);
  });
});

describe('what is no overload', () => {
  const refused = (work: (time: SimulatedTime) => Work, perSecond: number, seconds = 30): number => {
    const all = scene(work);
    all.time.arrivals(perSecond, seconds * 1000, () => all.server.call({ timeoutMs: 20_000 }));
    all.time.runUntil(seconds * 1000);
    return all.server.outcomes().refused;
  };
  const about = (time: SimulatedTime, ms: number): number => ms * (0.7 + 0.6 * time.random());

  it('a server whose calls have always been slow', () => {
    assert.equal(refused((time) => waits(time, () => about(time, 2_000)), 300), 0);
  });

  it('a dependency that becomes slow at once, and quick again', () => {
    const ms = (time: SimulatedTime): number => (time.monotonic() > 10_000 && time.monotonic() < 20_000 ? 500 : 5);
    assert.equal(refused((time) => waits(time, () => about(time, ms(time))), 300), 0);
  });

  it('more calls than before, of a server that waits', () => {
    const all = scene((time) => waits(time, () => about(time, 200)));
    all.time.arrivals(50, 20_000, () => all.server.call({}));
    all.time.runUntil(10_000);
    all.time.arrivals(1_500, 20_000, () => all.server.call({}));
    all.time.runUntil(20_000);
    assert.equal(all.server.outcomes().refused, 0);
  });

  it('a burst that is worked off', () => {
    const all = scene((time) => slots(time, 20, () => 5));
    for (let burst = 1; burst <= 10; burst++) {
      for (let call = 0; call < 500; call++) all.server.call({});
      all.time.runUntil(burst * 2_000);
    }
    assert.deepEqual(all.server.outcomes(), { offered: 5_000, served: 5_000, refused: 0, late: 0 });
  });

  it('a stall of the whole process', () => {
    const all = scene((time) => waits(time, () => 20));
    let held: (() => void)[] = [];
    all.time.arrivals(300, 30_000, () => {
      const now = all.time.monotonic();
      const stalled = now > 10_000 && now < 12_000;
      if (stalled) held.push(() => all.server.call({}));
      else {
        for (const call of held) call();
        held = [];
        all.server.call({});
      }
    });
    all.time.runUntil(30_000);
    assert.equal(all.server.outcomes().refused, 0);
  });

  it('a dependency that becomes slow bit by bit costs a few calls at first, and then none', () => {
    const all = scene((time) => waits(time, () => about(time, Math.min(500, Math.max(5, (time.monotonic() - 5_000) / 2)))));
    all.time.arrivals(300, 30_000, () => all.server.call({ timeoutMs: 10_000 }));
    all.time.runUntil(12_000);
    assert.ok(all.server.outcomes().refused < 0.2 * all.server.outcomes().offered, `${all.server.outcomes().refused}`);
    all.server.forget();
    all.time.runUntil(30_000);
    assert.equal(all.server.outcomes().refused, 0);
  });

  it('fewer than the least limit in flight, however slow they are', () => {
    const all = scene((time) => slots(time, 1, () => 400));
    all.time.arrivals(2.4, 60_000, () => all.server.call({ timeoutMs: 60_000 }));
    for (let second = 1; second <= 60; second++) {
      all.time.runUntil(second * 1000);
      if (all.admission.describe().inFlight >= 20) break;
    }
    assert.equal(all.server.outcomes().refused, 0);
  });
});
