import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HealthDefinition } from '@talaria/contracts/health/v1/health';
import { fromWire, hasCode } from '@talaria/errors';
import { createConnector, createServer, grpcTransport, inprocTransport, Metadata, staticResolver, TransportError, type ClientError } from '@talaria/rpc';
import { admission } from './admission.ts';

for (const transport of [grpcTransport(), inprocTransport()]) {
  const [scheme = ''] = transport.schemes;
  describe(`a real server over ${scheme}`, () => {
    test('refuses what is too much, tells clients so, never a critical call that is alone, and takes calls again', async () => {
      const taken = admission({});
      // Five slots of 20 ms: 250 calls a second.
      let free = 5;
      let executed = 0;
      const waiting: (() => void)[] = [];
      const server = createServer({ transports: [transport], admission: taken });
      server.add(HealthDefinition, {
        async check() {
          executed++;
          if (free === 0) await new Promise<void>((resolve) => void waiting.push(resolve));
          else free--;
          await new Promise((resolve) => setTimeout(resolve, 20));
          const next = waiting.shift();
          if (next) next();
          else free++;
          return {};
        },
        list: async () => ({}),
        async *watch() {},
      });
      const address = await server.listen(scheme === 'inproc' ? 'inproc://overload' : 'h2c://127.0.0.1:0');
      const connector = createConnector({ resolver: staticResolver({ [HealthDefinition.fullName]: [address] }), transports: [transport], picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }) });
      const client = connector.client(HealthDefinition);
      const critical = { metadata: Metadata({ baggage: 'talaria-priority=critical' }), timeoutMs: 60_000 };
      const calls: Promise<unknown>[] = [];
      const failures: unknown[] = [];
      const offer = (): void => {
        for (let call = 0; call < 10; call++) calls.push(client.check({}, { timeoutMs: 60_000 }).catch((error: unknown) => void failures.push(error)));
      };

      // So that it knows how long a call takes.
      for (let call = 0; call < 20; call++) await client.check({}, critical);
      for (const until = performance.now() + 30_000; !taken.describe().isShort || failures.length < 50; ) {
        assert.ok(performance.now() < until, `not seen: ${JSON.stringify(taken.describe())}`);
        offer();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      for (let call = 0; call < 20; call++) {
        offer();
        await client.check({}, critical);
      }
      await Promise.all(calls);
      const { refused, admitted, inFlight, priorities, refusedBy } = taken.describe();
      assert.equal(priorities.critical.refused, 0);
      assert.deepEqual([inFlight, refused, refusedBy.overload], [0, failures.length, failures.length]);
      assert.equal(executed, admitted, 'what was refused was not executed');
      for (const error of failures) {
        assert.ok(error instanceof Error);
        const cause = (error.cause ?? error) as ClientError;
        assert.ok(cause instanceof TransportError && cause.outcome === 'refused', String(error));
        assert.ok(hasCode(fromWire(cause.code, cause.details, cause.trailer), 'rate_limited.overload'));
      }
      await client.check({});
      await connector.close();
      await server.drain(1_000);
    });
  });
}
