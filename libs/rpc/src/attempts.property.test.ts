import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Metadata, Status } from 'nice-grpc-common';
import type { AttemptOptions } from './begun-call.ts';
import type { CallPlan } from './call-policy.ts';
import { coarseTimers } from './coarse-timers.ts';
import { contractMethods } from './contract.ts';
import { endedHere, isPast, watchDeadline } from './deadline.ts';
import type { AttemptResult, Candidate, Picker } from './picker.ts';
import type { Route } from './route.ts';
import { streamAttempts } from './stream-attempts.ts';
import { stoppedClock, type StoppedClock } from './testing/stopped-clock.ts';
import { TestDefinition } from './testing/test-contract.ts';
import { settle } from './testing/until.ts';
import { TransportError } from './transport-error.ts';
import type { Connection, Outcome, WireCallOptions } from './transport.ts';
import { unaryAttempts } from './unary-attempts.ts';

/** What one attempt meets. */
interface Fate {
  readonly afterMs: number;
  readonly what: 'answer' | 'never_sent' | 'refused' | 'maybe_executed' | 'not_found' | 'hang' | 'throw';
}

interface World {
  readonly endpoints: number;
  readonly fates: readonly Fate[];
  readonly picks: readonly number[];
  readonly deadlineMs: number;
  readonly cancelAfterMs: number | undefined;
  readonly waitMs: number | undefined;
  readonly most: number;
  readonly attemptTimeoutMs: number | undefined;
  readonly hedgeAfterMs: number | undefined;
  readonly agains: readonly (boolean | number)[];
}

const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const world: fc.Arbitrary<World> = fc.record({
  endpoints: fc.integer({ min: 1, max: 4 }),
  fates: fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 60 }), what: fc.constantFrom('answer', 'never_sent', 'refused', 'maybe_executed', 'not_found', 'hang', 'throw') }), { minLength: 8, maxLength: 8 }),
  picks: fc.array(fc.nat(10), { minLength: 8, maxLength: 8 }),
  deadlineMs: fc.oneof({ weight: 1, arbitrary: fc.integer({ min: 1, max: 20 }) }, { weight: 4, arbitrary: fc.integer({ min: 80, max: 150 }) }),
  cancelAfterMs: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined, freq: 3 }),
  waitMs: maybe(fc.integer({ min: 0, max: 20 })),
  most: fc.integer({ min: 1, max: 4 }),
  attemptTimeoutMs: maybe(fc.integer({ min: 1, max: 60 })),
  hedgeAfterMs: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined, freq: 5 }),
  agains: fc.array(fc.oneof(fc.constant(true), fc.constant(false), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 })), { minLength: 8, maxLength: 8 }),
});

const methodOf = (key: string) => contractMethods(TestDefinition).find((one) => one.key === key) ?? assert.fail();

/** A world with all that can be seen of it from outside. */
function simulate({ endpoints, fates, picks, deadlineMs, cancelAfterMs, waitMs, most, attemptTimeoutMs, hedgeAfterMs, agains }: World) {
  const clock: StoppedClock = stoppedClock();
  const seen = {
    picked: [] as Candidate[],
    done: [] as { readonly candidate: Candidate; readonly result: AttemptResult }[],
    planDone: [] as { readonly attempts: number; readonly error?: unknown }[],
    attempted: [] as number[],
    sent: 0,
    executed: 0,
    overlaps: 0,
    headers: [] as string[],
    trailers: [] as string[],
    live: new Map<Candidate, number>(),
  };
  const hangUp = new AbortController();
  const start = clock.monotonic();
  const options: WireCallOptions = {
    ...{ metadata: Metadata(), clock, deadline: start + deadlineMs, signal: hangUp.signal },
    onHeader: (metadata) => seen.headers.push(metadata.get('attempt') ?? ''),
    onTrailer: (metadata) => seen.trailers.push(metadata.get('attempt') ?? ''),
  };

  /** What becomes of an attempt: heeds its signal and its deadline, as connections do. */
  const attempt = async (candidate: Candidate, wire: WireCallOptions, answered: () => void): Promise<Uint8Array> => {
    const number = ++seen.sent;
    const { afterMs, what } = fates[(number - 1) % fates.length] as Fate;
    const refused = wire.signal?.aborted || isPast(wire.deadline, wire.clock) ? endedHere('/test', wire, 'never_sent') : undefined;
    if (refused) throw refused;
    if (seen.live.get(candidate)) seen.overlaps++;
    seen.live.set(candidate, (seen.live.get(candidate) ?? 0) + 1);
    const known = Metadata({ attempt: String(number) });
    const outcome: Outcome = what === 'never_sent' || what === 'refused' ? what : 'maybe_executed';
    if (outcome === 'maybe_executed') seen.executed++;
    try {
      await new Promise<void>((resolve, reject) => {
        const end = (): void => {
          cancel?.();
          stopWatching?.();
          reject(endedHere('/test', wire, outcome === 'maybe_executed' ? 'maybe_executed' : 'never_sent'));
        };
        const cancel = what === 'hang' ? undefined : clock.after(afterMs, () => {
          stopWatching?.();
          wire.signal?.removeEventListener('abort', end);
          resolve();
        });
        const stopWatching = watchDeadline(wire, end);
        wire.signal?.addEventListener('abort', end, { once: true });
        if (wire.handle) wire.handle.cancel = end;
      });
      if (what === 'throw') throw new Error('a bug');
      if (what === 'answer') {
        wire.onHeader?.(known);
        answered();
      }
      wire.onTrailer?.(known);
      if (what === 'not_found') throw new TransportError('/test', Status.NOT_FOUND, 'x', 'maybe_executed', known);
      if (what !== 'answer') throw new TransportError('/test', Status.UNAVAILABLE, 'x', outcome, known);
      return Buffer.from(String(number));
    } finally {
      seen.live.set(candidate, (seen.live.get(candidate) ?? 1) - 1);
    }
  };
  const candidates = Array.from({ length: endpoints }, (_, index): Candidate => {
    const connection = {
      state: 'ready',
      unary: (_method: unknown, _request: unknown, wire: WireCallOptions) => attempt(candidate, wire, () => {}),
      async *stream(_method: unknown, requests: AsyncIterable<Uint8Array>, wire: WireCallOptions) {
        const own = new AbortController();
        const leave = (): void => own.abort();
        wire.signal?.addEventListener('abort', leave, { once: true });
        if (wire.signal?.aborted) leave();
        for await (const _ of requests) break;
        const first = await attempt(candidate, { ...wire, signal: own.signal }, () => {});
        yield first;
        yield first;
      },
    } as unknown as Connection;
    const candidate: Candidate = { endpoint: { id: String(index), addresses: [] }, connection };
    return candidate;
  });
  const picker: Picker = {
    pick(all) {
      const picked = all[(picks[seen.picked.length % picks.length] ?? 0) % all.length] ?? assert.fail();
      seen.picked.push(picked);
      return picked;
    },
    done: (candidate, result) => seen.done.push({ candidate, result }),
  };
  const route: Route = { picker, current: () => candidates, candidates: () => candidates, passedOver: () => {}, close: () => {} };
  const plan: CallPlan = {
    attemptTimeoutMs,
    hedgeAfterMs: () => hedgeAfterMs,
    hedge: (number) => number <= most,
    again: ({ attempt: made, requestsTaken }) => !requestsTaken && made < most && (agains[made % agains.length] ?? false),
    attempted: (_, number) => seen.attempted.push(number),
    done: (result) => seen.planDone.push(result),
  };
  const how: AttemptOptions = {
    timers: coarseTimers(),
    choice: undefined,
    onAttempt: undefined,
    policy: { begin: () => (waitMs === undefined ? plan : new Promise((resolve) => clock.after(waitMs, () => resolve(plan)))) },
  };
  /** Lets the time pass until all is over. */
  const run = async <T>(call: Promise<T>): Promise<{ readonly value?: T; readonly error?: unknown }> => {
    let outcome: { readonly value?: T; readonly error?: unknown } | undefined;
    call.then(
      (value) => (outcome = { value }),
      (error: unknown) => (outcome = { error }),
    );
    await settle(1);
    for (let ms = 0; ms < 400 && !outcome; ms++) {
      if (ms === cancelAfterMs) {
        hangUp.abort();
        await settle(1);
        if (waitMs === undefined) assert.ok(outcome, 'a call that was cancelled is over at once');
      }
      clock.move(1);
      await settle(1);
    }
    await settle(3);
    return outcome ?? assert.fail('the call never ends');
  };
  /** What holds in every world. */
  const check = (): void => {
    assert.equal(seen.overlaps, 0, 'two attempts at one endpoint at the same time');
    assert.ok(seen.sent <= most, `${seen.sent} attempts of ${most}`);
    const left = [...seen.picked];
    for (const { candidate } of seen.done) {
      const at = left.indexOf(candidate);
      assert.ok(at >= 0, 'done without a pick');
      left.splice(at, 1);
    }
    assert.deepEqual(left, [], 'each pick has its done');
    assert.equal(seen.planDone.length, 1, 'the plan is told once that the call is over');
    assert.deepEqual([...seen.attempted].sort(), Array.from({ length: seen.planDone[0]?.attempts ?? 0 }, (_, index) => index + 1), 'each attempt is told once');
    for (const [, live] of seen.live) assert.equal(live, 0, 'an attempt outlives its call');
    assert.equal(clock.pending, 0, 'a timer outlives its call');
    assert.ok(seen.headers.length <= 1 && seen.trailers.length <= 1);
  };
  return { clock, hangUp, seen, options, route, how, run, check };
}

describe('attempts, whatever happens to them', () => {
  it('of unary calls: one done for each pick, no two at one place, no more than allowed, and one true answer', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const { seen, options, route, how, run, check } = simulate(given);
        const { value, error } = await run(unaryAttempts(route, methodOf('unary'), Buffer.from('x'), options, how, (bytes) => bytes));
        check();
        if (value) {
          const winner = Buffer.from(value).toString();
          assert.deepEqual([seen.headers, seen.trailers], [[winner], [winner]]);
          assert.equal(seen.done.filter(({ result }) => result.error === undefined && !result.abandoned).length, 1);
          assert.equal(seen.planDone[0]?.error, undefined);
        } else {
          assert.equal(seen.planDone[0]?.error, error);
          assert.deepEqual(seen.headers, []);
          if (error instanceof TransportError) {
            if (seen.executed > 0) assert.equal(error.outcome, 'maybe_executed', 'something may have been executed');
            assert.equal(seen.trailers[0], error.trailer.get('attempt'), 'the trailers are those of the error');
          }
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('of streams: also when the reader leaves, or looks away for ever', async () => {
    const reader = fc.constantFrom('reads', 'leaves', 'looks away');
    await fc.assert(
      fc.asyncProperty(world, reader, fc.constantFrom('down', 'both'), async (given, how, key) => {
        const world = simulate({ ...given, hedgeAfterMs: undefined });
        const { seen, options, route, run, check, clock, hangUp } = world;
        async function* requests() {
          yield Buffer.from('x');
        }
        const source = key === 'both' ? requests() : { [Symbol.asyncIterator]: requests };
        const responses = streamAttempts(route, methodOf(key), source, options, world.how, (bytes) => bytes);
        const read = async (): Promise<void> => {
          for (;;) {
            const step = await responses.next();
            if (step.done || how === 'looks away') return;
            if (how === 'leaves') {
              await responses.return();
              return;
            }
          }
        };
        const { error } = await run(read());
        if (error === undefined && how === 'looks away') {
          if (given.cancelAfterMs === undefined) clock.move(1_000);
          else hangUp.abort();
          await settle(3);
          // Its wire is the fake's own affair.
          for (const candidate of seen.live.keys()) seen.live.set(candidate, 0);
        }
        check();
        if (error instanceof TransportError && seen.executed > 0 && how === 'reads') assert.equal(error.outcome, 'maybe_executed');
        if (key === 'both') assert.ok(seen.sent <= 1, 'requests were taken');
      }),
      { numRuns: 500 },
    );
  });
});
