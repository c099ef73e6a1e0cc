import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { currentCall, runInCall } from '@talaria/context';
import { Status } from 'nice-grpc-common';
import { failure, hangingHandler, testBench, wire, type TransportHarness } from './bench.ts';
import { bytes, callAll, KINDS, text, wireMethod } from './kinds.ts';
import { settle, until } from './until.ts';

const CHUNK_BYTES = 16 * 1024;
/** What the buffers of both sides and of the sockets between them may hold; a producer that ran ahead would pass it at once. */
const MOST_CHUNKS = 1_000;

/** Slow, absent, stopping and vanishing peers, and what flows between contexts. */
export function peerSuite(harness: TransportHarness): void {
  describe(`${harness.name}: peers`, () => {
    const bench = testBench(harness);

    it('a slow reader holds the server back', async () => {
      const method = wireMethod(KINDS[2]);
      let produced = 0;
      let before = -1;
      const { connection } = await bench.serve(method, async function* () {
        for (;;) {
          produced++;
          yield new Uint8Array(CHUNK_BYTES);
        }
      });
      const responses = connection.stream(method, single(), wire())[Symbol.asyncIterator]();
      await responses.next();
      while (before !== produced) {
        before = produced;
        await settle(300);
      }
      assert.ok(produced < MOST_CHUNKS, `${produced} chunks were produced for one that was read`);
      for (let read = 0; read < 100; read++) await responses.next();
      await until('the server goes on', () => produced > 100);
      await responses.return?.();
    });

    it('a slow handler holds the client back', async () => {
      const method = wireMethod(KINDS[1]);
      let produced = 0;
      let before = -1;
      const gate = Promise.withResolvers<void>();
      const { connection } = await bench.serve(method, async function* (call) {
        let count = 0;
        for await (const _ of call.requests) {
          if (count++ === 0) await gate.promise;
        }
        yield bytes(String(count));
      });
      const requests = (async function* () {
        for (; produced < MOST_CHUNKS * 2; produced++) yield new Uint8Array(CHUNK_BYTES);
      })();
      const call = callAll(connection, method, requests, wire());
      await until('the first is taken', () => produced > 0);
      while (before !== produced) {
        before = produced;
        await settle(300);
      }
      assert.ok(produced < MOST_CHUNKS, `${produced} chunks were produced for one that was taken`);
      gate.resolve();
      assert.deepEqual(await call, [String(MOST_CHUNKS * 2)]);
    });

    for (const kind of KINDS) {
      const method = wireMethod(kind);

      it(`${kind.name}: an absent peer was never sent to, and no request was taken`, async () => {
        const connection = bench.connect(harness.absent, { connectTimeoutMs: 2_000 });
        let taken = false;
        const requests = (async function* () {
          taken = true;
          yield bytes('a');
        })();
        const error = await failure(kind.requestStream ? callAll(connection, method, requests, wire()) : callAll(connection, method, [bytes('a')], wire()));
        assert.equal(error.code, Status.UNAVAILABLE);
        assert.equal(error.outcome, 'never_sent');
        assert.equal(taken, false);
        assert.equal(connection.state, 'failed');
      });

      it(`${kind.name}: a peer that stops by force ends the call`, async () => {
        const hanging = hangingHandler();
        const { listener, connection } = await bench.serve(method, hanging.handler);
        const call = failure(callAll(connection, method, [bytes('a')], wire()));
        await until('the handler runs', () => hanging.started === 1);
        await listener.drain(0);
        const error = await call;
        assert.equal(error.code, Status.UNAVAILABLE);
        assert.equal(error.outcome, 'maybe_executed');
        await until('the handler is aborted', () => hanging.reasons.length === 1);
        await listener.closed;
      });

      it(`${kind.name}: a draining peer finishes what it has, and takes nothing new`, async () => {
        const gate = Promise.withResolvers<void>();
        let started = 0;
        const { listener, connection } = await bench.serve(method, async function* (call) {
          started++;
          await gate.promise;
          assert.equal(call.signal.aborted, false);
          yield bytes('finished');
        });
        const call = callAll(connection, method, [bytes('a')], wire());
        await until('the handler runs', () => started === 1);
        const drained = listener.drain(10_000);
        assert.equal(listener.drain(5), drained, 'drain is idempotent');
        const error = await failure(callAll(connection, method, [bytes('b')], wire()));
        assert.equal(error.code, Status.UNAVAILABLE);
        assert.notEqual(error.outcome, 'maybe_executed');
        gate.resolve();
        assert.deepEqual(await call, ['finished']);
        await drained;
        await listener.closed;
        assert.equal(started, 1);
      });
    }

    it('a drain ends what is left at its limit', async () => {
      const method = wireMethod(KINDS[2]);
      const hanging = hangingHandler();
      const { listener, connection } = await bench.serve(method, hanging.handler);
      const call = failure(callAll(connection, method, [bytes('a')], wire()));
      await until('the handler runs', () => hanging.started === 1);
      await listener.drain(50);
      assert.equal((await call).code, Status.UNAVAILABLE);
      await until('the handler is aborted', () => hanging.reasons.length === 1);
    });

    it('a connection that is closed finishes its calls within its grace, and takes no new ones', async () => {
      const method = wireMethod(KINDS[0]);
      const gate = Promise.withResolvers<void>();
      let started = 0;
      const { connection } = await bench.serve(method, async function* () {
        started++;
        await gate.promise;
        yield bytes('finished');
      });
      const states: string[] = [];
      connection.onStateChange((state) => states.push(state));
      const call = connection.unary(method, bytes('a'), wire());
      await until('the handler runs', () => started === 1);
      const closed = connection.close({ graceMs: 10_000 });
      assert.equal(connection.state, 'draining');
      const error = await failure(connection.unary(method, bytes('b'), wire()));
      assert.equal(error.outcome, 'never_sent');
      gate.resolve();
      assert.equal(text(await call), 'finished');
      await closed;
      assert.equal(connection.state, 'closed');
      assert.deepEqual(states.slice(-2), ['draining', 'closed']);
    });

    it('a connection that is closed without grace ends its calls', async () => {
      const method = wireMethod(KINDS[0]);
      const hanging = hangingHandler();
      const { connection } = await bench.serve(method, hanging.handler);
      const call = failure(connection.unary(method, bytes('a'), wire()));
      await until('the handler runs', () => hanging.started === 1);
      await connection.close();
      assert.equal((await call).code, Status.UNAVAILABLE);
      await until('the handler is aborted', () => hanging.reasons.length === 1);
    });

    it('a peer that comes back is found again', async () => {
      const method = wireMethod(KINDS[0]);
      const { listener, connection } = await bench.serve(method, (call) => call.requests);
      await connection.unary(method, bytes('a'), wire());
      await listener.drain(0);
      await until('the loss is seen', () => connection.state !== 'ready' || harness.name.startsWith('inproc'));
      assert.equal((await failure(connection.unary(method, bytes('a'), wire()))).outcome, 'never_sent');
      const again = await bench.transport.listen(listener.address);
      again.add('test.Test', [{ ...method, handler: (call) => call.requests }]);
      let back: Uint8Array | undefined;
      let asking = false;
      const ask = async (): Promise<void> => {
        asking = true;
        back = await connection.unary(method, bytes('back'), wire()).catch(() => undefined);
        asking = false;
      };
      await until('a call goes through', () => {
        if (!back && !asking) void ask();
        return back !== undefined;
      }).finally(() => again.drain(0));
      assert.equal(back && text(back), 'back');
    });

    it('an address that is taken or malformed is refused with the fix', async () => {
      const listener = await bench.listen();
      await assert.rejects(bench.transport.listen(listener.address), /taken/);
      await assert.rejects(bench.transport.listen('nonsense'), /has to be/);
    });

    it('the ambient call of the client does not reach the handler, and its requests are made in it', async () => {
      const method = wireMethod(KINDS[3]);
      const seen: (string | undefined)[] = [];
      const { connection } = await bench.serve(method, async function* (call) {
        for await (const request of call.requests) {
          seen.push(currentCall().requestId);
          yield request;
        }
      });
      const inside: (string | undefined)[] = [];
      const callFrom = (id: string): Promise<string[]> =>
        runInCall({ requestId: id }, () => {
          const requests = (async function* () {
            for (const message of ['a', 'b']) {
              inside.push(currentCall().requestId);
              yield bytes(`${id}${message}`);
            }
          })();
          return callAll(connection, method, requests, wire({ onHeader: () => inside.push(currentCall().requestId) }));
        });
      await callFrom('1');
      await Promise.all([callFrom('2'), callFrom('3')]);
      assert.deepEqual([...new Set(seen)], [undefined]);
      assert.deepEqual([...inside].sort(), ['1', '1', '1', '2', '2', '2', '3', '3', '3']);
    });
  });
}

async function* single(): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes('a');
}
