import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { context as otel, propagation, trace } from '@opentelemetry/api';
import { currentCall, runInCall, timeRemaining } from '@talaria/context';
import { hasCode } from '@talaria/errors';
import { eventually } from '@talaria/testing';
import { startChain, type Chain } from './testing/chain.ts';

async function withChain(hops: Parameters<typeof startChain>[0], listen: 'inproc' | 'h2c', run: (chain: Chain) => Promise<void>): Promise<void> {
  const chain = await startChain(hops, { listen });
  try {
    await run(chain);
  } finally {
    await chain.platform.stop();
  }
}

/** Resolves when the current call is aborted. */
function aborted(): Promise<void> {
  const { signal } = currentCall();
  return new Promise((resolve) => (signal?.aborted ? resolve() : signal?.addEventListener('abort', () => resolve(), { once: true })));
}

for (const listen of ['inproc', 'h2c'] as const) {
  describe(`three services in a row, over ${listen}`, () => {
    test('principal, trace, baggage and request id are the same everywhere; the caller is the one before', async () => {
      const seen: Record<string, unknown>[] = [];
      const look = (): void => {
        const { principal, caller, requestId } = currentCall();
        const span = trace.getSpanContext(otel.active());
        seen.push({ principal: principal?.id, caller: caller?.service, requestId, traceId: span?.traceId, tenant: propagation.getActiveBaggage()?.getEntry('tenant')?.value });
      };
      await withChain({ first: look, second: look, third: look }, listen, async ({ call }) => {
        const traceId = '0af7651916cd43dd8448eb211c80319c';
        const parent = trace.setSpanContext(otel.active(), { traceId, spanId: 'b7ad6b7169203331', traceFlags: 1, isRemote: true });
        const withBaggage = propagation.setBaggage(parent, propagation.createBaggage({ tenant: { value: 'acme' } }));
        await otel.with(withBaggage, () => runInCall({ requestId: 'req-of-the-test' }, () => call()));
        const same = { principal: 'user_1', requestId: 'req-of-the-test', traceId, tenant: 'acme' };
        assert.deepEqual(seen, [
          { ...same, caller: 'api.gateway' },
          { ...same, caller: 'api.first' },
          { ...same, caller: 'service.second' },
        ]);
      });
    });

    test('a deadline shrinks from hop to hop', async () => {
      const left: number[] = [];
      const pause = async (): Promise<void> => {
        left.push(timeRemaining() ?? Infinity);
        await new Promise((resolve) => setTimeout(resolve, 30));
      };
      await withChain({ first: pause, second: pause, third: pause }, listen, async ({ call }) => {
        await call({ timeoutMs: 60_000 });
        const [one = 0, two = 0, three = 0] = left;
        assert.ok(one <= 60_000, `the first had ${one} ms`);
        // 30 ms pass in each; a timer may fire a millisecond early, and gRPC rounds.
        assert.ok(two <= one - 25, `${one} then ${two}`);
        assert.ok(three <= two - 25, `${two} then ${three}`);
      });
    });

    test('a call whose deadline has passed is never sent, and no handler behind it runs', async () => {
      let third = 0;
      const outlast = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, (timeRemaining() ?? 0) + 5));
      await withChain({ second: outlast, third: () => void third++ }, listen, async ({ call }) => {
        await assert.rejects(call({ timeoutMs: 80 }), (error) => hasCode(error, 'timeout'));
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.equal(third, 0);
      });
    });

    test('hanging up ends the handler of the third service', async () => {
      let reached = false;
      let ended = false;
      const hang = async (): Promise<void> => {
        reached = true;
        await aborted();
        ended = true;
      };
      await withChain({ third: hang }, listen, async ({ call }) => {
        const hangUp = new AbortController();
        const calling = call({ signal: hangUp.signal });
        const rejected = assert.rejects(calling);
        await eventually(() => reached);
        hangUp.abort();
        await rejected;
        await eventually(() => ended);
      });
    });

    test('an error keeps its code over every hop, and nothing of where it came from leaves the process', async () => {
      const fail = (): never => {
        throw new Error('the password is hunter2');
      };
      await withChain({ third: fail }, listen, async ({ call }) => {
        await assert.rejects(call(), (error: Error) => hasCode(error, 'internal_service') && !error.message.includes('hunter2'));
      });
    });
  });
}
