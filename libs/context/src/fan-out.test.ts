import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock, type Clock } from '@talaria/base';
import { ErrorSet, notFound } from '@talaria/errors';
import { contextKey, currentCall, fanOut, fanOutEach, fanOutFirst, fanOutSettled, runInCall, timeRemaining, type Task } from './index.ts';

/** Never ends, and says whether it was told to. */
function hanging(): Task<never> & { readonly signals: AbortSignal[] } {
  const signals: AbortSignal[] = [];
  return Object.assign((signal: AbortSignal) => new Promise<never>(() => signals.push(signal)), { signals });
}
const after = <T>(turns: number, value: T): Task<T> => async () => {
  for (let count = 0; count < turns; count++) await turn();
  return value;
};
const failing = (what: string): Task<never> => async () => {
  await turn();
  throw notFound(what, `There is no ${what}.`);
};

/** Timers that fire when they are told to. */
function stoppedClock(): { readonly clock: Clock; readonly timers: Map<number, () => void>; move(ms: number): void } {
  const timers = new Map<number, () => void>();
  let now = 1_000;
  const after: Clock['after'] = (ms, callback) => {
    const at = now + ms;
    timers.set(at, callback);
    return () => timers.delete(at);
  };
  return {
    timers,
    clock: { ...systemClock, monotonic: () => now, after },
    move(ms) {
      now += ms;
      for (const [at, callback] of [...timers]) if (at <= now && timers.delete(at)) callback();
    },
  };
}

describe('fanOut', () => {
  test('answers all results in their places, with their types', async () => {
    const tuple = await fanOut([after(2, 'a'), after(1, 2), () => true]);
    const [text, number, flag]: [string, number, boolean] = tuple;
    assert.deepEqual([text, number, flag], ['a', 2, true]);
    const record: { one: string; two: number } = await fanOut({ one: after(2, 'a'), two: after(1, 2) });
    assert.deepEqual(record, { one: 'a', two: 2 });
    const list: number[] = await fanOut([3, 1, 2].map((n) => after(n, n)));
    assert.deepEqual(list, [3, 1, 2]);
    assert.deepEqual([await fanOut([]), await fanOut({})], [[], {}]);
  });

  test('rejects with the first failure and aborts the rest, waiting for none', async () => {
    const deaf = hanging();
    await assert.rejects(fanOut({ deaf, account: failing('account'), other: deaf }), { code: 'not_found.account' });
    assert.deepEqual(deaf.signals.map(({ aborted, reason }) => [aborted, (reason as Error).name]), [[true, 'AbortError'], [true, 'AbortError']]);
    await assert.rejects(
      fanOut([
        () => {
          throw new Error('thrown at once');
        },
        hanging(),
      ]),
      /thrown at once/,
    );
  });

  test('what fails later harms nobody', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const late = Promise.withResolvers<never>();
    await assert.rejects(fanOut([failing('account'), () => late.promise, failing('other')]), { code: 'not_found.account' });
    late.reject(new Error('late'));
    for (let count = 0; count < 5; count++) await turn();
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });

  test('each task runs in a call of its own: its signal is the ambient one, and all else is inherited', async () => {
    const key = contextKey<string>('key');
    const seen = await runInCall({ requestId: 'r', deadline: performance.now() + 60_000 }, () =>
      key.run('v', () => fanOut([async (signal) => [currentCall().signal === signal, currentCall().requestId, key.get(), (timeRemaining() ?? 0) > 30_000], () => currentCall().signal] as const)),
    );
    assert.deepEqual(seen[0], [true, 'r', 'v', true]);
    assert.equal(currentCall().signal, undefined);
    assert.equal(seen[1]?.aborted, false, 'what a task that succeeded answered may still need its signal');
  });

  test('an end of the call around it ends all, with its reason', async () => {
    const outer = new AbortController();
    const deaf = hanging();
    const running = runInCall({ signal: outer.signal }, () => fanOut([deaf, deaf]));
    outer.abort(new Error('hung up'));
    await assert.rejects(running, /hung up/);
    assert.deepEqual(deaf.signals.map(({ aborted }) => aborted), [true, true]);
    let started = false;
    await assert.rejects(runInCall({ signal: outer.signal }, () => fanOut([() => (started = true)])), /hung up/);
    await assert.rejects(runInCall({ deadline: performance.now() - 1 }, () => fanOut([() => (started = true)])), { name: 'TimeoutError' });
    assert.equal(started, false);
  });

  test('so does its deadline, by its clock; and nothing is left behind', async () => {
    const { clock, timers, move } = stoppedClock();
    const deaf = hanging();
    const running = runInCall({ clock, deadline: 1_500 }, () => fanOut([deaf]));
    await turn();
    move(499);
    assert.equal(deaf.signals[0]?.aborted, false);
    move(1);
    await assert.rejects(running, { name: 'TimeoutError' });
    await runInCall({ clock, deadline: 9_999 }, () => fanOut([() => 1, () => 2], { share: 0.5 }));
    assert.equal(timers.size, 0);
  });

  test('a task that is slower than its share of the deadline fails, and leaves time for others', async () => {
    const { clock, move } = stoppedClock();
    const seen: unknown[] = [];
    const running = runInCall({ clock, deadline: 2_000 }, () =>
      fanOutSettled(
        {
          slow: (): Promise<never> => {
            seen.push(timeRemaining());
            return new Promise(() => {});
          },
          next: async () => timeRemaining(),
        },
        { share: 0.5, concurrency: 1 },
      ),
    );
    move(500);
    const { results, errors } = await running;
    assert.deepEqual(seen, [500]);
    assert.equal(results.next, 250);
    assert.equal((errors?.of('slow') as Error).name, 'TimeoutError');
  });

  test('refuses limits that mean nothing', async () => {
    for (const concurrency of [0, -1, 1.5, Number.NaN]) await assert.rejects(fanOut([], { concurrency }), { name: 'RangeError', message: /give a whole number/ });
    for (const share of [0, -1, 1.1, Number.NaN]) await assert.rejects(fanOutFirst([], { share }), { name: 'RangeError', message: /give a number above 0/ });
  });

  test('refuses what was begun already, with the fix', async () => {
    await assert.rejects(fanOut({ account: Promise.resolve(1) } as never), { name: 'TypeError', message: /^The task account of a fan-out is no function: write \(\) => …/ });
  });

  test('a call that goes on keeps no listener of fan-outs that are over', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const count =
      (by: number, original: typeof signal.addEventListener) =>
      (...args: Parameters<typeof signal.addEventListener>): void => {
        listeners += by;
        original.apply(signal, args);
      };
    signal.addEventListener = count(1, signal.addEventListener.bind(signal));
    signal.removeEventListener = count(-1, signal.removeEventListener.bind(signal));
    await runInCall({ signal }, async () => {
      await fanOut([after(1, 1), after(2, 2)]);
      await fanOutFirst([after(1, 1), failing('x')]);
      await fanOutSettled([failing('x')]);
      await fanOut([failing('x'), hanging()]).catch(() => {});
    });
    assert.equal(listeners, 0);
  });
});

describe('fanOutSettled', () => {
  test('collects results and errors, and stops nothing', async () => {
    const { results, errors } = await fanOutSettled({ a: after(3, 1), b: failing('b'), c: after(1, 'x'), d: failing('d') });
    const typed: { a: number | undefined; c: string | undefined } = results;
    assert.deepEqual({ ...typed }, { a: 1, b: undefined, c: 'x', d: undefined });
    assert.ok(errors instanceof ErrorSet);
    assert.deepEqual(errors.entries.map(({ key }) => key), ['b', 'd']);
    assert.equal(errors.message, 'b: There is no b.; d: There is no d.');
    assert.deepEqual(await fanOutSettled([after(1, 1)]), { results: [1], errors: undefined });
    assert.deepEqual(await fanOutSettled([]), { results: [], errors: undefined });
  });

  test('errors stand in the order of the tasks, by index', async () => {
    const fail = (turns: number) => async (): Promise<never> => {
      await after(turns, 0)(new AbortController().signal);
      throw new Error(String(turns));
    };
    const { errors } = await fanOutSettled([fail(3), after(1, 1), fail(1), fail(2)]);
    assert.deepEqual(errors?.entries.map(({ key, error }) => [key, (error as Error).message]), [[0, '3'], [2, '1'], [3, '2']]);
  });

  test('when the call ends, that is the error of all that has not ended, and the rest is not begun', async () => {
    const outer = new AbortController();
    let begun = 0;
    const running = runInCall({ signal: outer.signal }, () => fanOutSettled([() => 1, () => new Promise(() => {}), () => begun++], { concurrency: 1 }));
    await turn();
    outer.abort(new Error('hung up'));
    const { results, errors } = await running;
    assert.deepEqual(results, [1, undefined, undefined]);
    assert.deepEqual(errors?.entries.map(({ key, error }) => `${key} ${(error as Error).message}`), ['1 hung up', '2 hung up']);
    assert.equal(begun, 0);
  });
});

describe('fanOutFirst', () => {
  test('answers the first success and aborts the rest', async () => {
    const deaf = hanging();
    const first: string | number = await fanOutFirst([deaf, failing('a'), after(3, 'won'), after(50, 5)]);
    assert.equal(first, 'won');
    assert.equal(deaf.signals[0]?.aborted, true);
    assert.equal(await fanOutFirst({ a: failing('a'), b: after(1, 'b') }), 'b');
  });

  test('rejects with all errors when all fail, and when there is nothing to try', async () => {
    await assert.rejects(fanOutFirst({ a: failing('a'), b: failing('b') }), (error: unknown) => error instanceof ErrorSet && error.size === 2 && error instanceof AggregateError && error.errors.length === 2);
    await assert.rejects(fanOutFirst([]), (error: unknown) => error instanceof ErrorSet && error.size === 0);
  });

  test('one at a time, begins the next only when one fails', async () => {
    const begun: string[] = [];
    const trying = (name: string, task: Task<string>): Task<string> => (signal) => (begun.push(name), task(signal));
    assert.equal(await fanOutFirst([trying('a', failing('a')), trying('b', after(1, 'b')), trying('c', after(1, 'c'))], { concurrency: 1 }), 'b');
    assert.deepEqual(begun, ['a', 'b']);
  });

  test('an end of the call is its error', async () => {
    const outer = new AbortController();
    const running = runInCall({ signal: outer.signal }, () => fanOutFirst([failing('a'), hanging()]));
    await turn();
    outer.abort(new Error('hung up'));
    await assert.rejects(running, /hung up/);
  });
});

describe('fanOutEach', () => {
  test('keeps the order of results, and runs no more than it may', async () => {
    let running = 0;
    let most = 0;
    const results: string[] = await fanOutEach(
      new Set([5, 1, 4, 2, 3]),
      async (turns, _signal, index) => {
        most = Math.max(most, ++running);
        await after(turns, 0)(_signal);
        running--;
        return `${index}:${turns}`;
      },
      { concurrency: 2 },
    );
    assert.deepEqual(results, ['0:5', '1:1', '2:4', '3:2', '4:3']);
    assert.equal(most, 2);
    assert.deepEqual(await fanOutEach([], () => 1), []);
  });

  test('begins nothing more after a failure', async () => {
    const begun: number[] = [];
    await assert.rejects(
      fanOutEach(
        [1, 2, 3, 4, 5, 6],
        async (n) => {
          begun.push(n);
          await turn();
          if (n === 2) throw new Error('two');
        },
        { concurrency: 2 },
      ),
      /two/,
    );
    for (let count = 0; count < 5; count++) await turn();
    assert.ok(begun.length <= 3, String(begun));
  });
});
