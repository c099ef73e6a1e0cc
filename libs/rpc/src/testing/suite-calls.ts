import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Metadata, ServerError, Status } from 'nice-grpc-common';
import type { CallHandler, IncomingCall } from '../transport.ts';
import { failure, testBench, wire, type TransportHarness } from './bench.ts';
import { bytes, callAll, KINDS, streamOf, text, wireMethod, type Kind } from './kinds.ts';

/** Answers each request, or all together where one response is due. */
const echo =
  (kind: Kind): CallHandler =>
  async function* (call) {
    if (kind.responseStream) {
      for await (const request of call.requests) {
        yield request;
        if (!kind.requestStream) yield bytes('again');
      }
      return;
    }
    const all: string[] = [];
    for await (const request of call.requests) all.push(text(request));
    yield bytes(all.join('+'));
  };

const requestsOf = (kind: Kind): Uint8Array[] => (kind.requestStream ? ['a', 'b', 'c'] : ['a']).map(bytes);
const expected = (kind: Kind): string[] => (kind.responseStream ? (kind.requestStream ? ['a', 'b', 'c'] : ['a', 'again']) : [kind.requestStream ? 'a+b+c' : 'a']);

/** Success, errors, metadata, sizes, contracts that come and go. */
export function callSuite(harness: TransportHarness): void {
  describe(`${harness.name}: calls`, () => {
    const bench = testBench(harness);

    for (const kind of KINDS) {
      const method = wireMethod(kind);

      it(`${kind.name}: succeeds`, async () => {
        const { connection } = await bench.serve(method, echo(kind));
        assert.deepEqual(await callAll(connection, method, requestsOf(kind), wire()), expected(kind));
        assert.equal(connection.state, 'ready');
      });

      it(`${kind.name}: metadata goes both ways, binary too, with headers and trailers`, async () => {
        let seen: IncomingCall | undefined;
        const { connection } = await bench.serve(method, async function* (call) {
          seen = call;
          call.sendHeader(Metadata({ 'x-head': 'h', 'x-head-bin': bytes('\0ÿ') }));
          call.setTrailer(Metadata({ 'x-trail': 't', 'x-trail-bin': bytes('\u0001') }));
          yield* echo(kind)(call);
        });
        let header: Metadata | undefined;
        let trailer: Metadata | undefined;
        const metadata = Metadata({ 'x-text': 'plain', 'x-data-bin': Uint8Array.of(0, 255, 10) });
        await callAll(connection, method, requestsOf(kind), wire({ metadata, onHeader: (got) => (header = got), onTrailer: (got) => (trailer = got) }));
        assert.equal(seen?.metadata.get('x-text'), 'plain');
        assert.deepEqual([...(seen?.metadata.get('x-data-bin') ?? [])], [0, 255, 10]);
        assert.equal(seen?.path, method.path);
        assert.ok(seen?.peer.address);
        assert.equal(header?.get('x-head'), 'h');
        assert.equal(text(header?.get('x-head-bin') ?? bytes('')), '\0ÿ');
        assert.equal(trailer?.get('x-trail'), 't');
        assert.equal(text(trailer?.get('x-trail-bin') ?? bytes('')), '\u0001');
      });

      it(`${kind.name}: fails with status, message and trailers`, async () => {
        const { connection } = await bench.serve(method, async function* (call) {
          for await (const _ of call.requests) if (kind.responseStream) yield bytes('one');
          call.setTrailer(Metadata({ 'x-why': 'because', 'x-why-bin': Uint8Array.of(7) }));
          throw new ServerError(Status.NOT_FOUND, 'no such ünicorn');
        });
        let trailer: Metadata | undefined;
        const error = await failure(callAll(connection, method, requestsOf(kind), wire({ onTrailer: (got) => (trailer = got) })));
        assert.equal(error.code, Status.NOT_FOUND);
        assert.equal(error.details, 'no such ünicorn');
        assert.equal(error.path, method.path);
        assert.equal(error.outcome, 'maybe_executed');
        assert.equal(error.trailer.get('x-why'), 'because');
        assert.deepEqual([...(error.trailer.get('x-why-bin') ?? [])], [7]);
        assert.equal(trailer?.get('x-why'), 'because');
      });

      it(`${kind.name}: says nothing of an error that is no status`, async () => {
         
        const { connection } = await bench.serve(method, async function* () {
          throw new Error('the password is 123');
        });
        const error = await failure(callAll(connection, method, requestsOf(kind), wire()));
        assert.equal(error.code, Status.UNKNOWN);
        assert.doesNotMatch(error.message + error.details, /123/);
      });

      it(`${kind.name}: refuses an unknown method`, async () => {
        const { connection } = await bench.serve(method, echo(kind));
        const error = await failure(callAll(connection, wireMethod(kind, 'Other'), requestsOf(kind), wire()));
        assert.equal(error.code, Status.UNIMPLEMENTED);
      });
    }

    it('empty messages are messages', async () => {
      const method = wireMethod({ requestStream: true, responseStream: true });
      const { connection } = await bench.serve(method, (call) => call.requests);
      assert.deepEqual(await callAll(connection, method, [bytes(''), bytes(''), bytes('x')], wire()), ['', '', 'x']);
    });

    it('each side has its own copy of messages and metadata', async () => {
      const method = wireMethod(KINDS[0]);
      const kept: Uint8Array[] = [];
      const { connection } = await bench.serve(method, async function* (call) {
        for await (const request of call.requests) {
          kept.push(request);
          call.metadata.set('x-mine', 'changed');
          yield request;
        }
      });
      const request = bytes('mine');
      const metadata = Metadata({ 'x-mine': 'mine' });
      const response = await connection.unary(method, request, wire({ metadata }));
      request.fill(0);
      response.fill(0);
      assert.equal(text(kept[0] as Uint8Array), 'mine');
      assert.equal(metadata.get('x-mine'), 'mine');
    });

    it('a request or a response over the limit is RESOURCE_EXHAUSTED, one at the limit passes', async () => {
      const method = wireMethod(KINDS[0]);
      let answer = 1_000;
      const { connection } = await bench.serve(
        method,
        async function* (call) {
          for await (const _ of call.requests) yield new Uint8Array(answer);
        },
        { maxRequestBytes: 1_000, maxResponseBytes: 1_000 },
      );
      assert.equal((await connection.unary(method, new Uint8Array(1_000), wire())).length, 1_000);
      assert.equal((await failure(connection.unary(method, new Uint8Array(1_001), wire()))).code, Status.RESOURCE_EXHAUSTED);
      answer = 1_001;
      assert.equal((await failure(connection.unary(method, new Uint8Array(1), wire()))).code, Status.RESOURCE_EXHAUSTED);
      answer = 10;
      assert.equal((await connection.unary(method, new Uint8Array(1), wire())).length, 10);
    });

    it('a method with one request refuses none and two', async () => {
      const method = wireMethod(KINDS[2]);
      const { connection } = await bench.serve(method, echo(KINDS[2]));
      for (const requests of [[], [bytes('a'), bytes('b')]]) {
        assert.equal((await failure(callAll(connection, method, requests, wire()))).code, Status.UNIMPLEMENTED);
      }
    });

    it('an error of the request stream ends the call, and comes out as it is', async () => {
      const method = wireMethod(KINDS[1]);
      const entered = Promise.withResolvers<void>();
      const aborted = Promise.withResolvers<void>();
      const { connection } = await bench.serve(method, async function* (call) {
        call.signal.addEventListener('abort', () => aborted.resolve());
        entered.resolve();
        yield* echo(KINDS[1])(call);
      });
      const mine = new Error('my own');
      const requests = (async function* () {
        yield bytes('a');
        await entered.promise;
        throw mine;
      })();
      await assert.rejects(callAll(connection, method, requests, wire()), mine);
      await aborted.promise;
    });

    it('contracts come and go while it runs', async () => {
      const kind = KINDS[0];
      const method = wireMethod(kind);
      const other = { ...method, path: '/test.Other/Method' };
      const { listener, connection } = await bench.serve(method, echo(kind));
      assert.equal((await failure(connection.unary(other, bytes('a'), wire()))).code, Status.UNIMPLEMENTED);
      const gate = Promise.withResolvers<void>();
      const entered = Promise.withResolvers<void>();
      listener.add('test.Other', [
        {
          ...other,
          async *handler() {
            entered.resolve();
            await gate.promise;
            yield bytes('late');
          },
        },
      ]);
      assert.throws(() => listener.add('test.Other', []), /served already/);
      const running = connection.unary(other, bytes('a'), wire());
      await entered.promise;
      listener.remove('test.Other');
      assert.equal((await failure(connection.unary(other, bytes('a'), wire()))).code, Status.UNIMPLEMENTED);
      gate.resolve();
      assert.equal(text(await running), 'late');
      assert.equal(text(await connection.unary(method, bytes('a'), wire())), 'a');
    });

    it('many calls at once keep to their own messages', async () => {
      const method = wireMethod(KINDS[3]);
      const { connection } = await bench.serve(method, echo(KINDS[3]));
      const all = Array.from({ length: 50 }, (_, call) => Array.from({ length: 5 }, (__, message) => `${call}/${message}`));
      const got = await Promise.all(all.map((messages) => callAll(connection, method, streamOf(messages.map(bytes)), wire())));
      assert.deepEqual(got, all);
    });
  });
}
