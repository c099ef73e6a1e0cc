import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Metadata, ServerError, Status } from 'nice-grpc-common';
import type { Admission, ArrivingCall, Decision, Refusal, Ticket } from '../admission.ts';
import { contractCalls } from '../contract-calls.ts';
import type { CallHandler, Connection, Listener, ListenOptions, ServedMethod, WireMethod } from '../transport.ts';
import { failure, hangingHandler, testBench, wire, type TransportHarness } from './bench.ts';
import { bytes, callAll, KINDS, streamOf, wireMethod } from './kinds.ts';
import { settle, until } from './until.ts';

/** An admission that keeps account of its tickets: the codes that each was done with. */
interface Accounts extends Admission {
  readonly asked: ArrivingCall[];
  readonly tickets: Status[][];
}

function accounts(decide: (ticket: Ticket, call: ArrivingCall) => Decision | Promise<Decision> = (ticket) => ticket): Accounts {
  const asked: ArrivingCall[] = [];
  const tickets: Status[][] = [];
  return {
    asked,
    tickets,
    admit(call) {
      asked.push(call);
      const codes: Status[] = [];
      tickets.push(codes);
      const done: Ticket['done'] = ({ code, durationMs }) => {
        assert.ok(durationMs >= 0);
        codes.push(code);
      };
      return decide({ done }, call);
    },
  };
}

const refusal: Refusal = { refusal: { status: Status.RESOURCE_EXHAUSTED, details: 'too many ünicorns', trailer: Metadata({ 'x-why': 'full', 'x-why-bin': Uint8Array.of(0, 255) }) } };

/** Admission before anything is decoded: who is asked, what is refused, and that each ticket is done once, however its call ends. */
export function admissionSuite(harness: TransportHarness): void {
  describe(`${harness.name}: admission`, () => {
    const bench = testBench(harness);

    const serve = async (method: WireMethod, admission: Admission, handler: CallHandler, more: Partial<ServedMethod> & ListenOptions = {}): Promise<{ listener: Listener; connection: Connection }> => {
      const listener = await bench.listen(more);
      listener.add('test.Test', [{ ...method, handler, admission, ...more }]);
      return { listener, connection: bench.connect(listener.address) };
    };
    const once = (admission: Accounts, codes: readonly Status[]): Promise<void> =>
      until(`the tickets were done with ${codes.map((code) => Status[code]).join()}`, () => JSON.stringify(admission.tickets) === JSON.stringify(codes.map((code) => [code])));

    for (const kind of KINDS) {
      const method = wireMethod(kind);

      it(`${kind.name}: refuses with status, message and trailers, again and again, and runs no handler`, async () => {
        const hanging = hangingHandler();
        const admission = accounts(() => refusal);
        const { connection } = await serve(method, admission, hanging.handler);
        for (let call = 0; call < 3; call++) {
          const error = await failure(callAll(connection, method, [bytes('a')], wire()));
          assert.equal(error.code, Status.RESOURCE_EXHAUSTED);
          assert.equal(error.details, 'too many ünicorns');
          assert.equal(error.trailer.get('x-why'), 'full');
          assert.deepEqual([...(error.trailer.get('x-why-bin') ?? [])], [0, 255]);
        }
        assert.equal(admission.asked.length, 3);
        assert.equal(hanging.started, 0);
      });

      it(`${kind.name}: the ticket of a call that succeeds or fails is done once`, async () => {
        let fails = false;
        const admission = accounts();
        const { connection } = await serve(method, admission, async function* (call) {
          for await (const _ of call.requests) if (kind.responseStream) yield bytes('one');
          if (fails) throw new ServerError(Status.NOT_FOUND, 'no');
          if (!kind.responseStream) yield bytes('all');
        });
        await callAll(connection, method, [bytes('a')], wire());
        await once(admission, [Status.OK]);
        fails = true;
        await failure(callAll(connection, method, [bytes('a')], wire()));
        await once(admission, [Status.OK, Status.NOT_FOUND]);
      });

      it(`${kind.name}: the ticket of a call that is cancelled, late, or cut is done once`, async () => {
        const hanging = hangingHandler();
        const admission = accounts();
        const { connection, listener } = await serve(method, admission, hanging.handler);
        const controller = new AbortController();
        const cancelled = failure(callAll(connection, method, [bytes('a')], wire({ signal: controller.signal })));
        await until('the handler runs', () => hanging.started === 1);
        controller.abort();
        await cancelled;
        await once(admission, [Status.CANCELLED]);
        await failure(callAll(connection, method, [bytes('a')], wire({ deadline: performance.now() + 150 })));
        // Whoever is first, the client or the server, ends the call; on a busy machine it may not even have arrived.
        await until('late calls are over', () => admission.tickets.every((codes) => codes.length === 1));
        for (const [code] of admission.tickets.slice(1)) assert.ok(code === Status.DEADLINE_EXCEEDED || code === Status.CANCELLED);
        const before = admission.tickets.length;
        const started = hanging.started;
        const cut = failure(callAll(connection, method, [bytes('a')], wire()));
        await until('the handler runs again', () => hanging.started > started);
        await listener.drain(0);
        await cut;
        assert.deepEqual(admission.tickets.slice(before), [[Status.UNAVAILABLE]]);
      });
    }

    it('the ticket of a call whose handler goes on after its end hears when that has come to its end', async () => {
      const method = wireMethod(KINDS[0]);
      const gate = Promise.withResolvers<void>();
      const heard: string[] = [];
      const ticket: Ticket = { done: ({ code, handling }) => void heard.push(`${Status[code]} ${handling}`), handled: () => void heard.push('handled') };
      let running = false;
      const { connection } = await serve(method, { admit: () => ticket }, async function* () {
        running = true;
        await gate.promise;
        yield bytes('late');
      });
      const controller = new AbortController();
      const cancelled = failure(connection.unary(method, bytes('a'), wire({ signal: controller.signal })));
      await until('the handler runs', () => running);
      controller.abort();
      await cancelled;
      await until('the ticket is done', () => heard.length > 0);
      assert.deepEqual(heard, ['CANCELLED true']);
      gate.resolve();
      await until('the handler is through', () => heard.length > 1);
      await settle();
      assert.deepEqual(heard, ['CANCELLED true', 'handled']);
    });

    it('a refusal that says so is one of a call that may be made elsewhere', async () => {
      const method = wireMethod(KINDS[0]);
      const { connection } = await serve(method, accounts(() => ({ refusal: { ...refusal.refusal, trailer: Metadata({ 'x-talaria-refused': 'overload', 'x-why': 'full' }) } })), hangingHandler().handler);
      const error = await failure(connection.unary(method, bytes('a'), wire()));
      assert.equal(error.outcome, 'refused');
      assert.deepEqual([...error.trailer].map(([key]) => key).filter((key) => key !== 'grpc-status'), ['x-why'], 'what is between the peers stays there');
      assert.equal(error.code, Status.RESOURCE_EXHAUSTED);
    });

    for (const kind of KINDS) {
      it(`${kind.name}: the ticket ${kind.responseStream ? 'hears of the first response, once' : 'hears of no single response'}`, async () => {
        const method = wireMethod(kind);
        const heard: string[] = [];
        const ticket: Ticket = {
          responded: (durationMs) => void heard.push(durationMs >= 0 ? 'responded' : 'nonsense'),
          done: () => void heard.push('done'),
        };
        const { connection } = await serve(method, { admit: () => ticket }, async function* (call) {
          for await (const _ of call.requests) continue;
          yield bytes('one');
          if (kind.responseStream) yield bytes('two');
        });
        await callAll(connection, method, [bytes('a')], wire());
        await until('the ticket is done', () => heard.includes('done'));
        assert.deepEqual(heard, kind.responseStream ? ['responded', 'done'] : ['done']);
      });
    }

    it('is shown the call: path, headers, deadline, peer, and whether it is still there', async () => {
      const method = wireMethod(KINDS[0]);
      const admission = accounts();
      const { connection } = await serve(method, admission, (call) => call.requests);
      const metadata = Metadata({ 'x-one': 'a' });
      metadata.append('x-two', 'a');
      metadata.append('x-two', 'b');
      await connection.unary(method, bytes('a'), wire({ metadata, deadline: performance.now() + 30_000 }));
      const [call] = admission.asked;
      assert.ok(call);
      assert.equal(call.path, method.path);
      assert.equal(call.method.path, method.path);
      assert.equal(call.header('x-one'), 'a');
      assert.equal(call.header('x-two'), 'a, b');
      assert.equal(call.header('x-three'), undefined);
      const left = (call.deadline ?? NaN) - performance.now();
      assert.ok(left > 0 && left <= 30_000, `${left} ms`);
      await connection.unary(method, bytes('a'), wire());
      assert.equal(admission.asked[1]?.deadline, undefined);
    });

    it('knows its peer while the call lasts', async () => {
      const method = wireMethod(KINDS[0]);
      const peers: string[] = [];
      const admission = accounts((ticket, call) => {
        peers.push(call.peer.address, String(call.gone));
        return ticket;
      });
      let served = '';
      const { connection } = await serve(method, admission, async function* (call) {
        served = call.peer.address;
        yield* call.requests;
      });
      await connection.unary(method, bytes('a'), wire());
      assert.deepEqual(peers, [served, 'false']);
    });

    it('a call waits for a promise, and is then taken or refused', async () => {
      const method = wireMethod(KINDS[0]);
      const gate = Promise.withResolvers<void>();
      let refuse = false;
      const admission = accounts(async (ticket) => {
        await gate.promise;
        return refuse ? refusal : ticket;
      });
      let deadline: number | undefined;
      const { connection } = await serve(method, admission, async function* (call) {
        ({ deadline } = call);
        yield* call.requests;
      });
      const until30s = performance.now() + 30_000;
      const call = connection.unary(method, bytes('a'), wire({ deadline: until30s }));
      await until('it waits', () => admission.asked.length === 1);
      await settle();
      gate.resolve();
      await call;
      assert.ok(deadline !== undefined && deadline <= until30s + 100, 'what it has waited is not given back');
      await once(admission, [Status.OK]);
      refuse = true;
      assert.equal((await failure(connection.unary(method, bytes('a'), wire()))).details, 'too many ünicorns');
    });

    it('a call that is gone before its turn gives its ticket back, and is not run', async () => {
      const method = wireMethod(KINDS[0]);
      const gate = Promise.withResolvers<void>();
      const admission = accounts(async (ticket) => {
        await gate.promise;
        return ticket;
      });
      const hanging = hangingHandler();
      const { connection } = await serve(method, admission, hanging.handler);
      const controller = new AbortController();
      const cancelled = failure(connection.unary(method, bytes('a'), wire({ signal: controller.signal })));
      await until('one waits', () => admission.asked.length === 1);
      const late = failure(connection.unary(method, bytes('a'), wire({ deadline: performance.now() + 2_000 })));
      await until('two wait', () => admission.asked.length === 2);
      controller.abort();
      assert.equal((await cancelled).code, Status.CANCELLED);
      assert.equal((await late).code, Status.DEADLINE_EXCEEDED);
      await until('both are gone', () => admission.asked.every(({ gone }) => gone));
      gate.resolve();
      await until('their tickets came back', () => admission.tickets.every((codes) => codes.length === 1));
      assert.deepEqual(admission.tickets[0], [Status.CANCELLED]);
      await settle();
      assert.equal(hanging.started, 0);
      assert.ok(admission.tickets.every((codes) => codes.length === 1));
    });

    it('one that fails itself is an unknown error, without a word of it', async () => {
      const method = wireMethod(KINDS[0]);
      let later = false;
      const admission = accounts(() => {
        if (later) return Promise.reject(new Error('the password is 123'));
        throw new Error('the password is 123');
      });
      const { connection } = await serve(method, admission, (call) => call.requests);
      for (later of [false, true]) {
        const error = await failure(connection.unary(method, bytes('a'), wire()));
        assert.equal(error.code, Status.UNKNOWN);
        assert.doesNotMatch(error.message, /123/);
      }
    });

    it('is not asked for unknown methods, nor for contracts that are being removed', async () => {
      const method = wireMethod(KINDS[0]);
      const admission = accounts();
      const calls = contractCalls('test.Test');
      const { connection } = await serve(method, admission, (call) => call.requests, { calls });
      assert.equal((await failure(connection.unary(wireMethod(KINDS[0], 'Other'), bytes('a'), wire()))).code, Status.UNIMPLEMENTED);
      await calls.drain(0);
      assert.equal((await failure(connection.unary(method, bytes('a'), wire()))).outcome, 'refused');
      assert.equal(admission.asked.length, 0);
    });

    it('a refused upload is not read, and its requests are let go', async () => {
      const method = wireMethod(KINDS[1]);
      let taken = 0;
      let returned = false;
      const requests = (async function* () {
        try {
          for (;;) {
            taken++;
            yield new Uint8Array(16 * 1024);
          }
        } finally {
          returned = true;
        }
      })();
      const { connection } = await serve(method, accounts(() => refusal), (call) => call.requests);
      assert.equal((await failure(callAll(connection, method, requests, wire()))).details, 'too many ünicorns');
      await until('the requests are let go', () => returned);
      assert.ok(taken < 1_000, `${taken} chunks were taken`);
      // The socket is as good as before.
      assert.equal((await failure(callAll(connection, method, streamOf([bytes('a')]), wire()))).details, 'too many ünicorns');
    });

    it('a request that is too large ends its ticket', async () => {
      const method = wireMethod(KINDS[0]);
      const admission = accounts();
      const { connection } = await serve(method, admission, (call) => call.requests, { maxRequestBytes: 100 });
      assert.equal((await failure(connection.unary(method, new Uint8Array(200), wire()))).code, Status.RESOURCE_EXHAUSTED);
      await once(admission, [Status.RESOURCE_EXHAUSTED]);
    });
  });
}
