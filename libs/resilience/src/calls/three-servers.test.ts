import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { systemClock, type Clock } from '@talaria/base';
import { badRequest, internal, rateLimited, ServiceError, unavailable } from '@talaria/errors';
import type { Endpoint, Resolver } from '@talaria/rpc';
import { callPolicies } from './call-policies.ts';
import { below, definition, KINDS, never, scene, until } from './testing/servers.ts';
import { movedClock } from './testing/moved-clock.ts';
import { keptLog } from './testing/simulated-client.ts';

const NO_HEDGES = { hedge: { enabled: false } } as const;

for (const { name, transport, address } of KINDS) {
  describe(`${name}: of three instances`, () => {
    const { serve, serveBelow, connect, close } = scene(transport(), address);
    afterEach(close);
    after(close);

    it('one that answers every other call with UNAVAILABLE makes no call fail that may be repeated', async () => {
      let turn = 0;
      const broken = await serve(() => {
        if (turn++ % 2 === 0) throw unavailable('x', 'Away.');
        return 'broken';
      });
      const servers = [broken, await serve(() => 'well'), await serve(() => 'well')];
      const connector = connect({ 'test.Test': servers.map(({ at }) => at) });
      const client = connector.client(definition);
      const answers = new Set<string>();
      for (let call = 0; call < 150; call++) answers.add(await client.get('a'));
      assert.deepEqual([...answers].sort(), ['broken', 'well']);
      const [stats] = connector.topology()[0]?.methods ?? [];
      assert.equal(stats?.method, 'test.Test/Get');
      assert.deepEqual([stats.calls, stats.failures, stats.breaker.state], [150, 0, 'closed']);
      assert.ok(stats.retries > 10);
    });

    it('all that fail: a call that must not be repeated is executed once, and the error says so', async () => {
      const executed = new Map<string, number>();
      const handler = (id: string): never => {
        executed.set(id, (executed.get(id) ?? 0) + 1);
        throw unavailable('x', 'Away.');
      };
      const servers = [await serve(handler), await serve(handler), await serve(handler)];
      const client = connect({ 'test.Test': servers.map(({ at }) => at) }).client(definition);
      for (let call = 0; call < 15; call++) await assert.rejects(client.put(`put ${call}`), { code: 'unavailable.x', attempts: 1 });
      assert.deepEqual([...executed.values()], Array.from({ length: 15 }, () => 1));
      await assert.rejects(client.get('get'), { code: 'unavailable.x', attempts: 3 });
      assert.equal(executed.get('get'), 3);
    });

    it('what a handler says on purpose is not asked again, and a bug only once', async () => {
      const calls = { wrong: 0, bug: 0 };
      const handler = (what: string): never => {
        if (what === 'bug') throw (calls.bug++, internal('bug', 'Oh.'));
        throw (calls.wrong++, badRequest('x', 'No.'));
      };
      const servers = [await serve(handler), await serve(handler), await serve(handler)];
      const client = connect({ 'test.Test': servers.map(({ at }) => at) }).client(definition);
      await assert.rejects(client.get('wrong'), { code: 'bad_request.x' });
      await assert.rejects(client.get('bug'), { code: 'internal_service.bug' });
      assert.deepEqual(calls, { wrong: 1, bug: 2 });
    });

    it('what was retried a hop below is not retried again, whatever it is wrapped in', async () => {
      const calls = { below: 0, between: 0 };
      const bottom = await Promise.all(
        [1, 2, 3].map(() =>
          serveBelow(() => {
            calls.below++;
            throw unavailable('x', 'Away.');
          }),
        ),
      );
      const inner = connect({ 'test.Below': bottom }).client(below);
      const servers = await Promise.all(
        [1, 2, 3].map(() =>
          serve(async (request) => {
            calls.between++;
            return inner.get(request).catch((error: unknown) => {
              throw request === 'wrapped' ? new ServiceError('unavailable.y', 'Not now.', { cause: error }) : error;
            });
          }),
        ),
      );
      const client = connect({ 'test.Test': servers.map(({ at }) => at) }).client(definition);
      await assert.rejects(client.get('a'), { code: 'unavailable.x', attempts: 3, hops: 2 });
      assert.deepEqual(calls, { below: 3, between: 1 });
      await assert.rejects(client.get('wrapped'), { code: 'unavailable.y', attempts: 3 });
      assert.deepEqual(calls, { below: 6, between: 2 });
    });

    it('one that hangs: a hedge answers, and what lost is cancelled', async () => {
      const seen = { arrived: 0, cancelled: 0 };
      const hanging = await serve((_, signal) => {
        seen.arrived++;
        signal.addEventListener('abort', () => seen.cancelled++);
        return never(signal);
      });
      const servers = [hanging, await serve(() => 'well'), await serve(() => 'well')];
      const connector = connect({ 'test.Test': servers.map(({ at }) => at) }, { '*': { hedge: { after: 20 }, budget: { per_second: 100 } } });
      const client = connector.client(definition);
      for (let call = 0; call < 9; call++) assert.equal(await client.get('a', { timeoutMs: 60_000 }), 'well');
      const [stats] = connector.topology()[0]?.methods ?? [];
      assert.ok(stats && stats.hedgesWon > 0 && stats.hedges >= stats.hedgesWon, JSON.stringify(stats));
      await until(() => seen.arrived > 0 && seen.cancelled === seen.arrived);
    });

    it('one that hangs: an attempt is given up after its time, and made elsewhere if it may be repeated', async () => {
      let arrived = 0;
      const hanging = await serve((_, signal) => {
        arrived++;
        return never(signal);
      });
      const servers = [hanging, await serve(() => 'well')];
      const clock = movedClock();
      const client = connect({ 'test.Test': servers.map(({ at }) => at) }, { '*': { ...NO_HEDGES, attempt_timeout: 100 } }, { clock }).client(definition);
      const outcome = async (call: Promise<string>): Promise<string> => {
        const [before, result] = [arrived, { is: '' }];
        call.then((answer) => (result.is = answer), (error: unknown) => (result.is = (error as ServiceError).code));
        await until(() => result.is !== '' || arrived > before);
        if (result.is === '') await clock.advance(100);
        await until(() => result.is !== '');
        return result.is;
      };
      const outcomes = { get: [] as string[], put: [] as string[] };
      // Turns are taken, so that one of two goes there.
      for (let call = 0; call < 4; call++) outcomes.get.push(await outcome(client.get('a', { timeoutMs: 60_000 })));
      assert.deepEqual(outcomes.get, ['well', 'well', 'well', 'well']);
      assert.ok(arrived > 0);
      for (let call = 0; call < 2; call++) outcomes.put.push(await outcome(client.put('a', { timeoutMs: 60_000 })));
      assert.deepEqual(outcomes.put.sort(), ['timeout.deadline', 'well']);
    });

    it('without a budget nothing is sent again', async () => {
      let calls = 0;
      const handler = (): never => {
        calls++;
        throw unavailable('x', 'Away.');
      };
      const servers = [await serve(handler), await serve(handler)];
      const connector = connect({ 'test.Test': servers.map(({ at }) => at) }, { 'test.Test': { budget: { ratio: 0, per_second: 0 } } });
      await assert.rejects(connector.client(definition).get('a'), { code: 'unavailable.x' });
      assert.equal(calls, 1);
      assert.deepEqual(connector.topology()[0]?.methods[0]?.budget, { left: 0, spent: 0, refused: 1 });
    });

    it('a server that says when to come again is heeded', async () => {
      const calls: string[] = [];
      const answering = (retryAfterMs: number) => (request: string) => {
        calls.push(request);
        if (calls.length < 2) throw rateLimited('x', 'Too many.', { retryAfterMs });
        return 'well';
      };
      const soon = await serve(answering(40));
      assert.equal(await connect({ 'test.Test': [soon.at] }, { '*': NO_HEDGES }).client(definition).get('soon', { timeoutMs: 60_000 }), 'well');
      assert.deepEqual(calls.splice(0), ['soon', 'soon']);
      const late = await serve(answering(5_000));
      await assert.rejects(connect({ 'test.Test': [late.at] }, { '*': NO_HEDGES }).client(definition).get('late', { timeoutMs: 60_000 }), { code: 'rate_limited.x', retryAfterMs: 5_000 });
      assert.deepEqual(calls, ['late']);
    });

    it('a new one is called at once, though calls are refused', async () => {
      const broken = await serve(() => {
        throw internal('x', 'Broken.');
      });
      const { at } = await serve(() => 'well');
      let change = (_: readonly Endpoint[]): void => {};
      const resolver: Resolver = {
        resolve: () => ({ endpoints: [{ id: 'broken', addresses: [broken.at] }], onChange: (listener) => ((change = listener), () => {}), close: () => {} }),
      };
      const clock: Clock = { ...systemClock, monotonic: () => 5 };
      const client = connect({}, undefined, { resolver, policy: callPolicies({ log: keptLog(), clock }) }).client(definition);
      for (let call = 0; call < 20; call++) await assert.rejects(client.put('a'), { code: 'internal_service.x' });
      await assert.rejects(client.put('a'), { code: 'unavailable.circuit_open' });
      change([{ id: 'well', addresses: [at] }]);
      for (let call = 0; call < 5; call++) assert.equal(await client.put('a'), 'well');
    });

    it('all that fail are spared, and called again by themselves when they are well', async () => {
      let calls = 0;
      let well = false;
      const handler = (): string => {
        calls++;
        if (!well) throw internal('x', 'Broken.');
        return 'well';
      };
      const servers = [await serve(handler), await serve(handler), await serve(handler)];
      const connector = connect({ 'test.Test': servers.map(({ at }) => at) });
      const client = connector.client(definition);
      const codes: string[] = [];
      for (let call = 0; call < 200; call++) codes.push(await client.put('a').then(() => '', (error: unknown) => (error as ServiceError).code));
      assert.ok(codes.filter((code) => code === 'unavailable.circuit_open').length > 100, String(calls));
      assert.ok(calls < 100, String(calls));
      // Another method of the contract has a breaker of its own.
      await assert.rejects(client.get('a'), { code: 'internal_service.x' });
      well = true;
      const end = performance.now() + 20_000;
      while ((await client.put('a').catch(() => '')) !== 'well') assert.ok(performance.now() < end, 'it is called again');
    });
  });
}
