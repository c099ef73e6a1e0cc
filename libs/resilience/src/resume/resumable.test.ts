import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { currentCall, runInCall } from '@talaria/context';
import { forbidden, hasCode, unavailable } from '@talaria/errors';
import fc from 'fast-check';
import { resumable, type ResumableOptions } from './resumable.ts';
import type { ResumeCall } from './source.ts';

/** One stream that a test feeds by hand. */
interface Opened {
  readonly from: number | undefined;
  readonly call: ResumeCall;
  send(...messages: number[]): void;
  end(): void;
  fail(error: unknown): void;
}

const gone = (): Error => unavailable('moved', 'This instance is stopping.', { retryAfterMs: 0 });

/** Streams of numbers, each its own position, in the order in which they are opened. */
function server() {
  const opened: Opened[] = [];
  const open = (from: number | undefined, call: ResumeCall): AsyncIterable<number> => {
    const queue: (() => number | undefined)[] = [];
    let wake = (): void => {};
    const add = (what: () => number | undefined): void => {
      queue.push(what);
      wake();
    };
    opened.push({
      from,
      call,
      send: (...messages) => messages.forEach((message) => add(() => message)),
      end: () => add(() => undefined),
      fail: (error) =>
        add(() => {
          throw error;
        }),
    });
    return (async function* () {
      for (;;) {
        const next = queue.shift();
        if (!next) await new Promise<void>((resolve) => (wake = resolve));
        else {
          const message = next();
          if (message === undefined) return;
          yield message;
        }
      }
    })();
  };
  return { opened, open, at: async (index: number): Promise<Opened> => { while (!opened[index]) await turn(); return opened[index]; } };
}

const options: ResumableOptions<number, number> = { position: (message) => message };

/** Reads everything, and keeps what came. */
function read(stream: AsyncIterable<number>) {
  const got: number[] = [];
  const done = (async () => {
    for await (const message of stream) got.push(message);
  })();
  done.catch(() => {});
  return { got, done, until: async (count: number): Promise<void> => { while (got.length < count) await turn(); } };
}

describe('a stream that is resumed', () => {
  it('is the stream itself while nothing happens', async () => {
    const { open, opened, at } = server();
    const { got, done } = read(resumable(open, { ...options, from: 6 }));
    const only = await at(0);
    only.send(7, 8);
    only.end();
    await done;
    assert.deepEqual(got, [7, 8]);
    assert.equal(only.from, 6);
    assert.equal(opened.length, 1);
  });

  it('goes on after the last message when it was cut', async () => {
    const { open, at } = server();
    const told: unknown[] = [];
    const { got, done, until } = read(resumable(open, { ...options, onResume: ({ from, error }) => told.push([from, hasCode(error, 'unavailable')]) }));
    (await at(0)).send(1, 2);
    await until(2);
    (await at(0)).fail(unavailable('gone', 'cut'));
    const second = await at(1);
    assert.equal(second.from, 2);
    second.send(3);
    second.fail(gone());
    const third = await at(2);
    assert.equal(third.from, 3);
    third.end();
    await done;
    assert.deepEqual(got, [1, 2, 3]);
    assert.deepEqual(told, [[2, true], [3, true]]);
  });

  it('is begun anew before the old one is let go, and each message comes once', async () => {
    const { open, at } = server();
    const { got, done, until } = read(resumable(open, options));
    const old = await at(0);
    old.send(1, 2);
    await until(2);
    old.call.onLeaving();
    const fresh = await at(1);
    assert.equal(fresh.from, 2);
    assert.equal(old.call.signal.aborted, false, 'the old one goes on');
    old.send(3, 4);
    await until(4);
    fresh.send(3, 4, 5);
    await until(5);
    assert.equal(old.call.signal.aborted, true);
    old.send(5, 6);
    fresh.send(6);
    fresh.end();
    await done;
    assert.deepEqual(got, [1, 2, 3, 4, 5, 6]);
  });

  it('moves again before what is doubled has come, and when the old server ends it in good order', async () => {
    const { open, at } = server();
    const { got, done, until } = read(resumable(open, options));
    const first = await at(0);
    first.send(1);
    await until(1);
    first.call.onLeaving();
    const second = await at(1);
    first.send(2, 3);
    await until(3);
    second.call.onLeaving();
    first.end();
    const third = await at(2);
    assert.equal(third.from, 3);
    second.send(2, 3, 4);
    await until(4);
    third.send(4, 5);
    await until(5);
    third.end();
    await done;
    assert.deepEqual(got, [1, 2, 3, 4, 5]);
  });

  it('stays with the old one while nobody else takes it', async () => {
    const { open, at } = server();
    const { got, done, until } = read(resumable(open, options));
    const old = await at(0);
    old.send(1);
    await until(1);
    old.call.onLeaving();
    (await at(1)).fail(unavailable('no_instances', 'nobody'));
    old.send(2);
    await until(2);
    const third = await at(2);
    assert.equal(third.from, 2);
    old.fail(gone());
    third.send(3);
    await until(3);
    third.end();
    await done;
    assert.deepEqual(got, [1, 2, 3]);
  });

  it('lets a quiet stream go as well', async () => {
    const { open, at } = server();
    const { done } = read(resumable(open, options));
    const old = await at(0);
    old.call.onLeaving();
    const fresh = await at(1);
    while (!old.call.signal.aborted) await turn();
    fresh.end();
    await done;
  });

  it('fails with what a repeat cannot help, also on the way to another server', async () => {
    for (const leaving of [false, true]) {
      const { open, at } = server();
      const { done } = read(resumable(open, options));
      const old = await at(0);
      if (leaving) old.call.onLeaving();
      (await at(leaving ? 1 : 0)).fail(forbidden('scope', 'no'));
      await assert.rejects(done, (error) => hasCode(error, 'forbidden.scope'));
      if (leaving) assert.equal(old.call.signal.aborted, true);
    }
  });

  it('gives up after so many failures in a row; a message begins a new row', async () => {
    const { open, opened, at } = server();
    const { done, until } = read(resumable(open, { ...options, attempts: 2 }));
    (await at(0)).fail(gone());
    (await at(1)).fail(gone());
    (await at(2)).send(1);
    await until(1);
    for (const index of [2, 3, 4]) (await at(index)).fail(gone());
    await assert.rejects(done, (error) => hasCode(error, 'unavailable.moved'));
    assert.equal(opened.length, 5);
  });

  it('says what went wrong rather than wait beyond the deadline', async () => {
    const { open, opened, at } = server();
    const { done } = runInCall({ deadline: performance.now() + 60_000 }, () => read(resumable(open, options)));
    (await at(0)).fail(unavailable('busy', 'later', { retryAfterMs: 120_000 }));
    await assert.rejects(done, (error) => hasCode(error, 'unavailable.busy'));
    assert.equal(opened.length, 1);
  });

  it('opens in the ambient call of where the iteration began', async () => {
    const { open, at } = server();
    const ids: unknown[] = [];
    const stream = resumable<number, number>((from, call) => {
      ids.push(currentCall().requestId);
      return open(from, call);
    }, options);
    const { done } = runInCall({ requestId: 'req_1' }, () => read(stream));
    await runInCall({ requestId: 'req_2' }, async () => (await at(0)).fail(gone()));
    (await at(1)).end();
    await done;
    assert.deepEqual(ids, ['req_1', 'req_1']);
  });

  it('ends with its reader, and with its signal, in the middle of a wait', async () => {
    const { open, at } = server();
    const iterator = resumable(open, options)[Symbol.asyncIterator]();
    const pending = iterator.next();
    const one = await at(0);
    await iterator.return?.();
    assert.deepEqual(await pending, { done: true, value: undefined });
    assert.equal(one.call.signal.aborted, true);

    const hangUp = new AbortController();
    const { done } = read(resumable(open, { ...options, signal: hangUp.signal }));
    const other = await at(1);
    hangUp.abort();
    await assert.rejects(done, (error) => hasCode(error, 'cancelled.caller'));
    assert.equal(other.call.signal.aborted, true);
  });

  it('ends with its reader, and with its signal, in a pause before it begins anew', async () => {
    const later = unavailable('moved', 'Come again.', { retryAfterMs: 60_000 });
    const { open, at } = server();
    const iterator = resumable(open, options)[Symbol.asyncIterator]();
    const pending = iterator.next();
    (await at(0)).fail(later);
    for (let turns = 0; turns < 20; turns++) await turn();
    await iterator.return?.();
    assert.deepEqual(await pending, { done: true, value: undefined });

    const hangUp = new AbortController();
    const { done } = read(resumable(open, { ...options, signal: hangUp.signal }));
    (await at(1)).fail(later);
    for (let turns = 0; turns < 20; turns++) await turn();
    hangUp.abort();
    await assert.rejects(done, (error) => hasCode(error, 'cancelled.caller'));
  });

  it('brings each message once, in order, whatever servers do', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), on: fc.nat(1), count: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), on: fc.nat(1), count: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), on: fc.nat(1), count: fc.constant(0) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const { open, opened } = server();
        /** How far each stream has told; all tell the same. */
        const told = new Map<Opened, number>();
        const sendOn = (one: Opened, count: number): void => {
          const from = told.get(one) ?? one.from ?? 0;
          one.send(...Array.from({ length: count }, (_, index) => from + index + 1));
          told.set(one, from + count);
        };
        const { got, done } = read(resumable(open, { ...options, attempts: 1_000, resumes: (error) => hasCode(error, 'unavailable.moved') }));
        await turn();
        let cuts = 0;
        for (const { do: what, on, count } of steps) {
          const one = opened.at(-1 - Math.min(on, opened.length - 1)) as Opened;
          if (what === 'send') sendOn(one, count);
          else if (what === 'leave') one.call.onLeaving();
          // The second failure in a row would wait.
          else if (cuts++ < 1) one.fail(gone());
          await turn();
        }
        while (got.length < 20) {
          const last = opened.at(-1) as Opened;
          if ((told.get(last) ?? last.from ?? 0) < 1_000) sendOn(last, 1);
          await turn();
        }
        let over = false;
        done.catch(() => (over = true));
        // The last one may have been let go; there will be another one then.
        for (; !over; await turn()) (opened.at(-1) as Opened).fail(forbidden('over', 'over'));
        assert.deepEqual(got, Array.from({ length: got.length }, (_, index) => index + 1));
      }),
      { numRuns: 60, seed: 5 },
    );
  });
});
