import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { currentCall, runInCall } from '@talaria/context';
import { fromWire } from '@talaria/errors';
import { Status } from 'nice-grpc-common';
import { failure, hangingHandler, testBench, wire, type TransportHarness } from './bench.ts';
import { bytes, callAll, KINDS, streamOf, text, wireMethod } from './kinds.ts';
import { until } from './until.ts';

/** What a server that goes away says to those whose calls are open, on either side. */
export function leavingSuite(harness: TransportHarness): void {
  describe(`${harness.name}: a peer that goes away`, () => {
    const bench = testBench(harness);
    const method = wireMethod(KINDS[3]);

    it('tells open calls on both sides at once; they end in good order, and what begins then goes elsewhere', async () => {
      const signals: AbortSignal[] = [];
      const { listener, connection } = await bench.serve(method, async function* (call) {
        const { leaving } = call;
        signals.push(leaving);
        yield bytes('open');
        await new Promise<void>((resolve) => leaving.addEventListener('abort', () => resolve(), { once: true }));
        assert.equal(call.signal.aborted, false);
        yield bytes('farewell');
      });
      const told: string[] = [];
      const open = ['1', '2'].map((id) => {
        const responses = runInCall({ requestId: id }, () => connection.stream(method, streamOf([bytes('a')]), wire({ onLeaving: () => told.push(`${id} in ${currentCall().requestId}`) }))[Symbol.asyncIterator]());
        return { responses, first: runInCall({ requestId: id }, () => responses.next()) };
      });
      await Promise.all(open.map(({ first }) => first));
      assert.deepEqual(signals.map(({ aborted }) => aborted), [false, false]);
      assert.equal(signals[0], signals[1], 'one signal for all calls');
      const drained = listener.drain(20_000);
      for (const { responses } of open) {
        assert.equal(text((await responses.next()).value as Uint8Array), 'farewell');
        assert.equal((await responses.next()).done, true);
      }
      await drained;
      await until('both were told', () => told.length === 2);
      assert.deepEqual(told.sort(), ['1 in 1', '2 in 2']);
    });

    it('a call that begins as it is told does not go there', async () => {
      const hanging = hangingHandler(async function* () {
        yield bytes('open');
      });
      const { listener, connection } = await bench.serve(method, hanging.handler);
      const controller = new AbortController();
      const again = Promise.withResolvers<unknown>();
      const onLeaving = (): void => again.resolve(failure(callAll(connection, method, [bytes('b')], wire())));
      const responses = connection.stream(method, streamOf([bytes('a')]), wire({ onLeaving, signal: controller.signal }))[Symbol.asyncIterator]();
      await responses.next();
      await until('the handler waits', () => hanging.started === 1);
      const drained = listener.drain(20_000);
      const error = (await again.promise) as Awaited<ReturnType<typeof failure>>;
      assert.equal(error.code, Status.UNAVAILABLE);
      assert.notEqual(error.outcome, 'maybe_executed');
      assert.equal(hanging.started, 1);
      controller.abort();
      await failure(responses.next());
      await drained;
    });

    it('what does not end by itself is cut at the limit, as moved, to be begun again at once', async () => {
      const hanging = hangingHandler(async function* () {
        yield bytes('open');
      });
      const { listener, connection } = await bench.serve(method, hanging.handler);
      let told = 0;
      const responses = connection.stream(method, streamOf([bytes('a')]), wire({ onLeaving: () => told++ }))[Symbol.asyncIterator]();
      await responses.next();
      await until('the handler waits', () => hanging.started === 1);
      const cut = failure(responses.next());
      await listener.drain(30);
      const error = await cut;
      assert.equal(error.code, Status.UNAVAILABLE);
      assert.equal(error.outcome, 'maybe_executed');
      const { code, retryable, retryAfterMs } = fromWire(error.code, error.details, error.trailer);
      assert.deepEqual([code, retryable, retryAfterMs], ['unavailable.moved', true, 0]);
      assert.equal(told, 1);
      await until('the handler is aborted', () => hanging.reasons.length === 1);
    });

    it('calls of a connection that is closed with a grace are told, since they will be cut; not those that may go on', async () => {
      const hanging = hangingHandler(async function* () {
        yield bytes('open');
      });
      const { connection } = await bench.serve(method, hanging.handler);
      let told = 0;
      const responses = connection.stream(method, streamOf([bytes('a')]), wire({ onLeaving: () => told++ }))[Symbol.asyncIterator]();
      await responses.next();
      const closed = connection.close({ graceMs: Infinity });
      assert.equal(connection.state, 'draining');
      assert.equal(told, 0);
      void connection.close({ graceMs: 20_000 });
      assert.equal(told, 1);
      void connection.close({ graceMs: 30 });
      assert.equal((await failure(responses.next())).code, Status.UNAVAILABLE);
      await closed;
      assert.equal(told, 1);
      assert.equal(connection.state, 'closed');
    });

    it('a call whose peer stays is told nothing', async () => {
      const { connection, listener } = await bench.serve(method, (call) => call.requests);
      let told = 0;
      assert.deepEqual(await callAll(connection, method, [bytes('a')], wire({ onLeaving: () => told++ })), ['a']);
      await listener.drain(1_000);
      assert.equal(told, 0);
    });
  });
}
