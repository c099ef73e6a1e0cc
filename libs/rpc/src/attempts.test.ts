import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { context as otel, createContextKey } from '@opentelemetry/api';
import { sleep } from '@talaria/base';
import { installContext, runInCall } from '@talaria/context';
import { hasCode } from '@talaria/errors';
import { ServerError, Status, type Metadata } from 'nice-grpc-common';
import type { CallPlan, CallPolicy, FailedAttempt } from './call-policy.ts';
import { createConnector, type Connector, type ConnectorOptions } from './connector.ts';
import { grpcTransport } from './grpc/grpc-transport.ts';
import { inprocTransport } from './inproc/inproc-transport.ts';
import type { AttemptResult, Picker } from './picker.ts';
import { createServer, type Server } from './server.ts';
import { staticResolver } from './static-resolver.ts';
import { stoppedClock } from './testing/stopped-clock.ts';
import { handlers, TestDefinition, type Handlers } from './testing/test-contract.ts';
import { until } from './testing/until.ts';

installContext();

/** Takes turns from the first on, those that were tried last. */
const inOrder = (results: AttemptResult[]): Picker => ({
  pick: (candidates, { tried }) => candidates.find((one) => !tried.has(one)) ?? candidates[0] ?? assert.fail(),
  done: (_, result) => results.push(result),
});

const planned = (plan: Partial<CallPlan>): (() => CallPolicy) => () => ({ begin: () => ({ again: () => false, ...plan }) });

for (const { name, transport, at } of [
  { name: 'h2c', transport: grpcTransport(), at: 'h2c://127.0.0.1:0' },
  { name: 'inproc', transport: inprocTransport(), at: 'inproc://attempts:0' },
]) {
  describe(`${name}: attempts`, () => {
    const servers: Server[] = [];
    const connectors: Connector[] = [];
    afterEach(async () => {
      await Promise.all(connectors.splice(0).map((one) => one.close()));
      await Promise.all(servers.splice(0).map((one) => one.drain(0)));
    });
    const serve = async (changes: Partial<Handlers>): Promise<string> => {
      const server = createServer({ transports: [transport] });
      servers.push(server);
      server.add(TestDefinition, { ...handlers, ...changes });
      return server.listen(at);
    };
    const connect = (addresses: readonly string[], policy: ConnectorOptions['policy']) => {
      const results: AttemptResult[] = [];
      const connector = createConnector({ resolver: staticResolver({ 'test.Test': addresses }), transports: [transport], picker: () => inOrder(results), policy });
      connectors.push(connector);
      return { client: connector.client(TestDefinition), results, connector };
    };
    /** An instance that does not answer, and what became of its calls. */
    const hanging = async (): Promise<{ readonly address: string; readonly seen: { began: number; aborted: number } }> => {
      const seen = { began: 0, aborted: 0 };
      const hang = (signal: AbortSignal): Promise<void> =>
        new Promise((resolve) => {
          seen.began++;
          signal.addEventListener('abort', () => {
            seen.aborted++;
            resolve();
          });
        });
      const address = await serve({
        async unary(_, { signal, header }) {
          header.set('who', 'hanging');
          await hang(signal);
          return 'late';
        },
        async *down(_, { signal }) {
          await hang(signal);
          yield 'late';
        },
      });
      return { address, seen };
    };
    const named = (who: string): Partial<Handlers> => ({
      async unary(_, { header, trailer }) {
        header.set('who', who);
        trailer.set('who', who);
        return who;
      },
      async *down() {
        yield who;
      },
    });

    it('a hedge that answers first wins, and the loser is cancelled on its server', async () => {
      const slow = await hanging();
      const quick = await serve(named('quick'));
      const told: { attempts: number; error?: unknown }[] = [];
      const asked: number[] = [];
      const { client, results } = connect([slow.address, quick], planned({
        hedgeAfterMs: (attempt) => (asked.push(attempt), 15),
        hedge: (attempt) => (asked.push(attempt), true),
        done: (result) => told.push(result),
      }));
      const said: string[] = [];
      const to: string[] = [];
      const key = createContextKey('test');
      const answer = await otel.with(otel.active().setValue(key, 'mine'), () =>
        client.unary('x', {
          onAttempt: () => to.push(String(otel.active().getValue(key))),
          onHeader: (header: Metadata) => said.push(`header ${header.get('who')}`),
          onTrailer: (trailer: Metadata) => said.push(`trailer ${trailer.get('who')}`),
        }),
      );
      assert.equal(answer, 'quick');
      assert.deepEqual(said, ['header quick', 'trailer quick']);
      assert.deepEqual(to, ['mine', 'mine'], 'a hedge, too, is made in the context of its call');
      assert.deepEqual(asked.slice(0, 3), [1, 2, 2]);
      assert.deepEqual(results.map(({ error, abandoned = false }) => [error, abandoned]), [[undefined, false], [undefined, true]]);
      assert.deepEqual(told.map(({ attempts, error }) => [attempts, error]), [[2, undefined]]);
      if (slow.seen.began > 0) await until('the loser hears of it', () => slow.seen.aborted === 1);
    });

    it('a hedge that is slower loses, and is cancelled', async () => {
      const slow = await hanging();
      let release = (): void => {};
      const first = await serve({ unary: () => new Promise((resolve) => (release = () => resolve('first'))) });
      const { client, results } = connect([first, slow.address], planned({ hedgeAfterMs: (attempt) => (attempt === 1 ? 5 : undefined), hedge: () => true }));
      const call = client.unary('x');
      await until('the hedge runs', () => slow.seen.began === 1);
      release();
      assert.equal(await call, 'first');
      await until('the hedge is cancelled', () => slow.seen.aborted === 1);
      assert.deepEqual(results.map(({ abandoned = false }) => abandoned), [false, true]);
    });

    it('no hedge is made where nobody is left, or where the plan refuses it', async () => {
      const second = await serve(named('second'));
      for (const alone of [true, false]) {
        const gate = Promise.withResolvers<string>();
        const first = await serve({ unary: () => gate.promise });
        const attempts: string[] = [];
        const asked: number[] = [];
        const { client } = connect(alone ? [first] : [first, second], planned({ hedgeAfterMs: () => 1, hedge: (attempt) => (asked.push(attempt), false) }));
        const call = client.unary('x', { onAttempt: ({ id }: { readonly id: string }) => attempts.push(id) });
        if (alone) await sleep(50);
        else await until('the plan is asked', () => asked.length > 0);
        gate.resolve('first');
        assert.equal(await call, 'first');
        assert.deepEqual([attempts.length, asked], [1, alone ? [] : [2]]);
      }
    });

    it('a first attempt that fails waits for its hedge', async () => {
      const first = Promise.withResolvers<string>();
      const second = Promise.withResolvers<string>();
      let hedged = false;
      const addresses = [await serve({ unary: () => first.promise }), await serve({ unary: () => ((hedged = true), second.promise) })];
      const failures: FailedAttempt[] = [];
      const { client, results } = connect(addresses, planned({ hedgeAfterMs: (attempt) => (attempt === 1 ? 5 : undefined), hedge: () => true, again: (failure) => (failures.push(failure), false) }));
      const call = client.unary('x');
      await until('the hedge runs', () => hedged);
      first.reject(new ServerError(Status.UNAVAILABLE, 'gone'));
      await until('the first fails', () => results.length === 1);
      assert.deepEqual(failures.map(({ attempt, inFlight, timedOut }) => ({ attempt, inFlight, timedOut })), [{ attempt: 2, inFlight: 1, timedOut: false }]);
      second.resolve('hedged');
      assert.equal(await call, 'hedged');
    });

    it('what the service says of the request ends the call, hedged or not', async () => {
      let fail = (): void => {};
      const slow = await hanging();
      const refusing = await serve({ unary: () => new Promise((_, reject) => (fail = () => reject(new ServerError(Status.NOT_FOUND, 'no such thing')))) });
      const { client } = connect([refusing, slow.address], planned({ hedgeAfterMs: (attempt) => (attempt === 1 ? 1 : undefined), hedge: () => true }));
      const call = assert.rejects(client.unary('x'), (error) => hasCode(error, 'not_found'));
      await until('the hedge runs', () => slow.seen.began === 1);
      fail();
      await call;
      await until('the hedge is cancelled', () => slow.seen.aborted === 1);
    });

    it('an attempt that takes too long is cancelled, and another instance answers; streams too', async () => {
      const slow = await hanging();
      const quick = await serve(named('quick'));
      const failures: FailedAttempt[] = [];
      const plan: CallPlan = {
        // The other one may take as long as it likes.
        get attemptTimeoutMs() {
          return failures.length === 0 ? 40 : undefined;
        },
        again: (failure) => (failures.push(failure), failure.untried > 0),
      };
      const { client, results } = connect([slow.address, quick], () => ({ begin: () => plan }));
      // Connecting may take that long by itself.
      while (slow.seen.began === 0) await client.unary('x', { timeoutMs: 30 }).catch(() => {});
      await until('these are over', () => slow.seen.aborted === slow.seen.began);
      failures.length = results.length = 0;
      assert.equal(await client.unary('x'), 'quick');
      assert.deepEqual(failures.map(({ error, timedOut, attempt, untried, inFlight }) => [error.code, error.outcome, timedOut, attempt, untried, inFlight]), [[Status.DEADLINE_EXCEEDED, 'maybe_executed', true, 1, 1, 0]]);
      await until('it is told', () => results.some(({ timedOut }) => timedOut));
      assert.ok(results.some(({ timedOut, durationMs, error }) => timedOut && durationMs >= 40 && error !== undefined));
      await until('its server hears of it', () => slow.seen.aborted === slow.seen.began);
      failures.length = 0;
      const streamed: string[] = [];
      for await (const one of client.down('x')) streamed.push(one);
      assert.deepEqual(streamed, ['quick']);
      assert.deepEqual(failures.map(({ timedOut, requestsTaken }) => [timedOut, requestsTaken]), [[true, false]]);
      assert.ok(results.at(-1)?.firstResponseMs !== undefined);
    });

    it('an answer that cannot be read is a failure of its instance, and another instance answers; streams too, until they have begun', async () => {
      const responseSerialize = (value: unknown): Buffer => Buffer.from(value === 'broken' ? '{' : JSON.stringify(value));
      const serveBroken = async (): Promise<string> => {
        const server = createServer({ transports: [transport] });
        servers.push(server);
        server.add({ ...TestDefinition, unary: { ...TestDefinition.unary, responseSerialize }, down: { ...TestDefinition.down, responseSerialize } }, {
          ...handlers,
          unary: async () => 'broken',
          async *down(request) {
            if (request === 'late') yield 'well';
            yield 'broken';
          },
        });
        return server.listen(at);
      };
      const quick = await serve(named('quick'));
      const failures: FailedAttempt[] = [];
      const { client, results } = connect([await serveBroken(), quick], planned({ again: (failure) => (failures.push(failure), failure.untried > 0 && !failure.requestsTaken) }));
      assert.equal(await client.unary('x'), 'quick');
      const read = async (request: string): Promise<string> => {
        let all = '';
        for await (const one of client.down(request)) all += one;
        return all;
      };
      assert.equal(await read('x'), 'quick');
      assert.deepEqual(failures.map(({ error, untried }) => [error.code, error.outcome, untried]), Array(2).fill([Status.INTERNAL, 'maybe_executed', 1]));
      await assert.rejects(read('late'), (error) => hasCode(error, 'internal_service.malformed_response'));
      assert.equal(failures.at(-1)?.requestsTaken, true, 'it had begun');
      assert.equal(results.filter(({ error }) => error !== undefined).length, 3);
    });

    it('a stream that has begun to answer is not limited any more', async () => {
      const gate = Promise.withResolvers<void>();
      const address = await serve({
        async *down() {
          yield 'a';
          await gate.promise;
          yield 'b';
        },
      });
      const clock = stoppedClock();
      const { client, results } = connect([address], planned({ attemptTimeoutMs: 1_000 }));
      const streamed: string[] = [];
      await runInCall({ clock }, async () => {
        for await (const one of client.down('x')) {
          streamed.push(one);
          clock.move(2_000);
          gate.resolve();
        }
      });
      assert.deepEqual(streamed, ['a', 'b']);
      assert.equal(results.length, 1);
      assert.equal(results[0]?.error, undefined);
    });

    it('a caller that hangs up ends its call at every stage, and all is told once', async () => {
      const slow = await hanging();
      const other = await hanging();
      const stages: readonly { readonly plan: Partial<CallPlan>; readonly began: () => boolean; readonly attempts: number; readonly addresses?: readonly string[] }[] = [
        { plan: {}, began: () => slow.seen.began > 0, attempts: 1 },
        { plan: { attemptTimeoutMs: 60_000 }, began: () => slow.seen.began > 0, attempts: 1 },
        { plan: { hedgeAfterMs: (attempt) => (attempt === 1 ? 1 : undefined), hedge: () => true }, began: () => slow.seen.began > 0 && other.seen.began > 0, attempts: 2 },
        { plan: { again: () => 60_000 }, began: () => pausing, attempts: 1, addresses: [await serve({ unary: async () => Promise.reject(new ServerError(Status.UNAVAILABLE, 'x')) })] },
      ];
      let pausing = false;
      for (const { plan, began, attempts, addresses = [slow.address, other.address] } of stages) {
        slow.seen.began = slow.seen.aborted = other.seen.began = other.seen.aborted = 0;
        pausing = false;
        const told: { attempts: number; error?: unknown }[] = [];
        const { client, results } = connect(addresses, planned({ ...plan, attempted: () => (pausing = true), done: (result) => told.push(result) }));
        const hangUp = new AbortController();
        const call = assert.rejects(client.unary('x', { signal: hangUp.signal, timeoutMs: 120_000 }), (error) => hasCode(error, 'cancelled'));
        await until('it began', began);
        hangUp.abort();
        await call;
        assert.equal(results.length, attempts);
        assert.deepEqual(told.map((one) => [one.attempts, one.error !== undefined]), [[attempts, true]]);
        await until('the servers hear of it', () => slow.seen.aborted === slow.seen.began && other.seen.aborted === other.seen.began);
      }
    });

    it('a policy may refuse a call, or make it wait; nothing is picked before', async () => {
      const address = await serve(named('one'));
      const refusing = connect([address], () => ({ begin: () => assert.fail('refused') }));
      await assert.rejects(refusing.client.unary('x'), /refused/);
      await assert.rejects(async () => {
        for await (const _ of refusing.client.down('x'));
      }, /refused/);
      let go = (_plan: CallPlan): void => {};
      const waiting = connect([address], () => ({ begin: () => new Promise((resolve) => (go = resolve)) }));
      const picked: string[] = [];
      const call = waiting.client.unary('x', { onAttempt: ({ id }: { readonly id: string }) => picked.push(id) });
      assert.deepEqual(picked, []);
      go({ again: () => false });
      assert.equal(await call, 'one');
      assert.deepEqual([refusing.results.length, waiting.results.length], [0, 1]);
    });

    it('a connector shows what it knows of the contracts that were called', async () => {
      const address = await serve(named('one'));
      const connector = createConnector({
        resolver: staticResolver({ 'test.Test': [address] }),
        transports: [transport],
        picker: () => ({ ...inOrder([]), describe: () => ({ state: 'ready', inFlight: 0, weight: 1, calls: 1, failures: 0, ejections: 0 }) }),
        policy: () => ({ begin: () => ({ again: () => false }), describe: () => [] }),
      });
      connectors.push(connector);
      assert.deepEqual(connector.topology(), []);
      await connector.client(TestDefinition).unary('x');
      const [contract, ...others] = connector.topology();
      assert.deepEqual(others, []);
      assert.equal(contract?.contract, 'test.Test');
      const [endpoint] = contract.endpoints;
      assert.deepEqual([endpoint?.endpoint.addresses, endpoint?.connection.state, endpoint?.connection.inFlight, endpoint?.stats?.calls], [[address], 'ready', 0, 1]);
    });
  });
}
