import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Status } from 'nice-grpc-common';
import { failure, hangingHandler, testBench, wire, type TransportHarness } from './bench.ts';
import type { CallHandle } from '../transport.ts';
import { bytes, callAll, KINDS, text, wireMethod } from './kinds.ts';
import { settle, until } from './until.ts';

/** A stream of requests that never ends by itself, and whether its generator was let go. */
function endlessRequests(first = true): { requests: AsyncIterable<Uint8Array>; readonly taken: number; readonly returned: boolean } {
  let taken = 0;
  let returned = false;
  return {
    get taken() {
      return taken;
    },
    get returned() {
      return returned;
    },
    requests: {
      [Symbol.asyncIterator]: () => ({
        next() {
          if (!first || taken > 0) return new Promise(() => {});
          taken++;
          return Promise.resolve({ done: false, value: bytes('first') });
        },
        return() {
          returned = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    },
  };
}

/** Deadlines, and cancellation at every stage. */
export function endSuite(harness: TransportHarness): void {
  describe(`${harness.name}: deadlines and cancellation`, () => {
    const bench = testBench(harness);

    for (const kind of KINDS) {
      const method = wireMethod(kind);
      const requests = (): AsyncIterable<Uint8Array> | Uint8Array[] => (kind.requestStream ? endlessRequests().requests : [bytes('a')]);

      it(`${kind.name}: the deadline ends both sides`, async () => {
        const hanging = hangingHandler();
        const { connection } = await bench.serve(method, hanging.handler);
        const error = await failure(callAll(connection, method, requests(), wire({ deadline: performance.now() + 150 })));
        assert.equal(error.code, Status.DEADLINE_EXCEEDED);
        await until('the handler is aborted', () => hanging.reasons.length === hanging.started);
      });

      it(`${kind.name}: an expired call is never sent`, async () => {
        const hanging = hangingHandler();
        const { connection } = await bench.serve(method, hanging.handler);
        const error = await failure(callAll(connection, method, requests(), wire({ deadline: performance.now() - 1 })));
        assert.equal(error.code, Status.DEADLINE_EXCEEDED);
        assert.equal(error.outcome, 'never_sent');
        await settle();
        assert.equal(hanging.started, 0);
      });

      it(`${kind.name}: cancelled before it begins, it is never sent`, async () => {
        const hanging = hangingHandler();
        const { connection } = await bench.serve(method, hanging.handler);
        const error = await failure(callAll(connection, method, requests(), wire({ signal: AbortSignal.abort() })));
        assert.equal(error.code, Status.CANCELLED);
        assert.equal(error.outcome, 'never_sent');
        await settle();
        assert.equal(hanging.started, 0);
      });

      it(`${kind.name}: cancelled before the first response, both sides end`, async () => {
        const hanging = hangingHandler();
        const { connection } = await bench.serve(method, hanging.handler);
        const controller = new AbortController();
        const call = failure(callAll(connection, method, requests(), wire({ signal: controller.signal })));
        await until('the handler runs', () => hanging.started === 1);
        assert.equal(connection.inFlight, 1);
        controller.abort();
        const error = await call;
        assert.equal(error.code, Status.CANCELLED);
        await until('the handler is aborted', () => hanging.reasons.length === 1);
        assert.deepEqual(hanging.reasons, ['AbortError']);
        assert.equal(connection.inFlight, 0);
      });

      it(`${kind.name}: cancelled after its end, nothing happens`, async () => {
        let aborted = false;
        const { connection } = await bench.serve(method, async function* (call) {
          call.signal.addEventListener('abort', () => (aborted = true));
          for await (const _ of call.requests) continue;
          yield bytes('done');
        });
        const controller = new AbortController();
        const got = await callAll(connection, method, [bytes('a')], wire({ signal: controller.signal, deadline: performance.now() + 10_000 }));
        controller.abort();
        await settle();
        assert.deepEqual(got, ['done']);
        assert.equal(aborted, false);
      });
    }

    it('a unary call can be cancelled by its handle as well, also while it still connects', async () => {
      const method = wireMethod(KINDS[0]);
      const hanging = hangingHandler();
      const { connection } = await bench.serve(method, hanging.handler);
      const handle: CallHandle = { cancel: undefined };
      const early = failure(connection.unary(method, bytes('a'), wire({ handle })));
      handle.cancel?.();
      assert.equal((await early).code, Status.CANCELLED);
      const started = hanging.started;
      const call = failure(connection.unary(method, bytes('a'), wire({ handle })));
      await until('the handler runs', () => hanging.started > started);
      handle.cancel?.();
      const error = await call;
      assert.deepEqual([error.code, error.outcome], [Status.CANCELLED, 'maybe_executed']);
      await until('the handler hears of it', () => hanging.reasons.length === hanging.started);
      handle.cancel?.();
      assert.equal(connection.inFlight, 0);
    });

    it('the handler sees the same deadline, a little later at most', async () => {
      const method = wireMethod(KINDS[0]);
      let seen: number | undefined;
      const { connection } = await bench.serve(method, async function* (call) {
        seen = call.deadline;
        yield bytes('');
      });
      const deadline = performance.now() + 20_000;
      await connection.unary(method, bytes(''), wire({ deadline }));
      assert.ok(seen !== undefined && Math.abs(seen - deadline) < 5_000);
      await connection.unary(method, bytes(''), wire());
      assert.equal(seen, undefined);
    });

    it('a deadline beyond every timer is no deadline in the past', async () => {
      const method = wireMethod(KINDS[0]);
      const { connection } = await bench.serve(method, (call) => call.requests);
      assert.equal(text(await connection.unary(method, bytes('a'), wire({ deadline: performance.now() + 1e12 }))), 'a');
    });

    it('cancelled in the middle of a stream of responses', async () => {
      const method = wireMethod(KINDS[2]);
      const hanging = hangingHandler(async function* () {
        yield bytes('one');
      });
      const { connection } = await bench.serve(method, hanging.handler);
      const controller = new AbortController();
      const responses = connection.stream(method, endlessOnce(), wire({ signal: controller.signal }))[Symbol.asyncIterator]();
      assert.equal(text((await responses.next()).value as Uint8Array), 'one');
      const pending = failure(responses.next());
      await until('the handler waits', () => hanging.started === 1);
      controller.abort();
      assert.equal((await pending).code, Status.CANCELLED);
      await until('the handler is aborted', () => hanging.reasons.length === 1);
    });

    it('a reader that gives up ends the call, without waiting for anything', async () => {
      const method = wireMethod(KINDS[3]);
      const hanging = hangingHandler(async function* () {
        yield bytes('one');
      });
      const endless = endlessRequests();
      const { connection } = await bench.serve(method, hanging.handler);
      for await (const response of connection.stream(method, endless.requests, wire())) {
        assert.equal(text(response), 'one');
        break;
      }
      await until('the handler is aborted', () => hanging.reasons.length === hanging.started);
      await until('the requests are let go', () => endless.returned);
      assert.equal(connection.inFlight, 0);
    });

    it('cancelled while the requests are sent', async () => {
      const method = wireMethod(KINDS[1]);
      const endless = endlessRequests();
      const got = Promise.withResolvers<void>();
      const reason = Promise.withResolvers<unknown>();
       
      const { connection } = await bench.serve(method, async function* (call) {
        try {
          for await (const _ of call.requests) got.resolve();
        } catch (error) {
          reason.resolve(error);
          throw error;
        }
      });
      const controller = new AbortController();
      const call = failure(callAll(connection, method, endless.requests, wire({ signal: controller.signal })));
      await got.promise;
      controller.abort();
      assert.equal((await call).code, Status.CANCELLED);
      assert.equal(((await reason.promise) as Error).name, 'AbortError');
      await until('the requests are let go', () => endless.returned);
    });

    it('a status of the server ends the requests', async () => {
      const method = wireMethod(KINDS[3]);
      const endless = endlessRequests();
      const { connection } = await bench.serve(method, async function* () {
        yield bytes('enough');
      });
      assert.deepEqual(await callAll(connection, method, endless.requests, wire()), ['enough']);
      await until('the requests are let go', () => endless.returned);
    });
  });
}

async function* endlessOnce(): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes('a');
}
