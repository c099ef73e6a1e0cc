import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context as otel, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { systemClock } from '@talaria/base';
import { currentCall, currentClock, detached, iterateIn, runInCall, sleep, timeRemaining, withCall } from './index.ts';

const KEY = createContextKey('test');

test('outside of calls the call is empty', () => {
  assert.deepEqual(currentCall(), {});
  assert.equal(timeRemaining(), undefined);
});

test('calls that run side by side do not see each other', async () => {
  const seen = await Promise.all(
    ['a', 'b', 'c'].map((requestId) =>
      runInCall({ requestId }, async () => {
        await new Promise(setImmediate);
        return currentCall().requestId;
      }),
    ),
  );
  assert.deepEqual(seen, ['a', 'b', 'c']);
});

test('a nested call inherits what it does not change', () => {
  runInCall({ requestId: 'a', deadline: 5 }, () => {
    runInCall({ deadline: 3 }, () => assert.deepEqual(currentCall(), { requestId: 'a', deadline: 3 }));
    assert.equal(currentCall().deadline, 5);
  });
});

test('the call is a key of OpenTelemetry\'s context, which flows with it', () => {
  otel.with(ROOT_CONTEXT.setValue(KEY, 1), () => {
    runInCall({ requestId: 'a' }, () => {
      assert.equal(otel.active().getValue(KEY), 1);
      otel.with(otel.active().setValue(KEY, 2), () => assert.equal(currentCall().requestId, 'a'));
    });
  });
});

test('a deadline that passed leaves no time', () => {
  runInCall({ deadline: performance.now() - 1 }, () => assert.equal(timeRemaining(), 0));
  runInCall({ deadline: performance.now() + 1e6 }, () => assert.ok((timeRemaining() ?? 0) > 9e5));
});

test('time is that of the clock of the call', async () => {
  const timers: (() => void)[] = [];
  const clock = { ...systemClock, monotonic: () => 7_000, after: (_ms: number, callback: () => void) => (timers.push(callback), () => {}) };
  assert.equal(currentClock(), systemClock);
  await runInCall({ clock, deadline: 7_500 }, async () => {
    assert.equal(currentClock(), clock);
    assert.equal(timeRemaining(), 500);
    const slept = sleep(60_000);
    timers[0]?.();
    await slept;
    await assert.rejects(sleep(60_000, { signal: AbortSignal.abort(new Error('given up')) }), /given up/);
  });
});

test('what is detached inherits nothing, also later', async () => {
  await runInCall({ requestId: 'a' }, async () => {
    const seen = detached(
      () =>
        new Promise((resolve) => {
          setImmediate(() => resolve(currentCall()));
        }),
    );
    assert.deepEqual(await seen, {});
    assert.equal(currentCall().requestId, 'a');
  });
});

test('a bound function runs in its context', () => {
  const bound = otel.bind(withCall(ROOT_CONTEXT, { requestId: 'a' }), () => currentCall().requestId);
  assert.equal(bound(), 'a');
});

test("a generator's every step runs in its own context, whoever pulls it", async () => {
  async function* body(): AsyncGenerator<string | undefined> {
    yield currentCall().requestId;
    await new Promise(setImmediate);
    yield currentCall().requestId;
  }
  const own = iterateIn(withCall(ROOT_CONTEXT, { requestId: 'own' }), body());
  const pulled = runInCall({ requestId: 'puller' }, () => body());
  const seen = await runInCall({ requestId: 'puller' }, async () => [await own.next(), await own.next()].map(({ value }) => value));
  assert.deepEqual(seen, ['own', 'own']);
  // The trap: without it, the body sees the context of whoever pulls.
  assert.equal((await runInCall({ requestId: 'other' }, () => pulled.next())).value, 'other');
});

test('leaving early ends the source and does not wait for it', async () => {
  let ended = false;
  async function* endless(): AsyncGenerator<number> {
    try {
      for (let index = 0; ; index++) yield index;
    } finally {
      ended = true;
    }
  }
  for await (const value of iterateIn(ROOT_CONTEXT, endless())) if (value === 2) break;
  await new Promise(setImmediate);
  assert.equal(ended, true);
});
