import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, type Clock } from '@talaria/base';
import { currentCall, currentClock, runInCall, timeRemaining } from '@talaria/context';
import { createConnector, type ConnectorOptions } from './connector.ts';
import { grpcTransport } from './grpc/grpc-transport.ts';
import { inprocTransport } from './inproc/inproc-transport.ts';
import { createServer, type ServerOptions } from './server.ts';
import { staticResolver } from './static-resolver.ts';
import { stoppedClock } from './testing/stopped-clock.ts';
import { handlers, TestDefinition, type Handlers } from './testing/test-contract.ts';
import { settle, until } from './testing/until.ts';

for (const { name, transport, at } of [
  { name: 'h2c', transport: grpcTransport(), at: 'h2c://127.0.0.1:0' },
  { name: 'inproc', transport: inprocTransport(), at: 'inproc://clock:0' },
]) {
  describe(`${name}: the clock of a call`, () => {
    const start = async (t: { after(fn: () => Promise<void>): void }, changes: Partial<Handlers>, options: Partial<ServerOptions>, client: Partial<ConnectorOptions>) => {
      const server = createServer({ transports: [transport], ...options });
      server.add(TestDefinition, { ...handlers, ...changes });
      const address = await server.listen(at);
      const picker = () => ({ pick: ([first]: readonly unknown[]) => first as never });
      const connector = createConnector({ resolver: staticResolver({ 'test.Test': [address] }), transports: [transport], picker, ...client });
      t.after(async () => {
        await connector.close();
        await server.drain(0);
      });
      return connector.client(TestDefinition);
    };
    /** Hangs until its call is over. */
    const hanging = (aborted: string[]): Handlers['unary'] => (_request, { signal }) =>
      new Promise((_, reject) => {
        aborted.push('began');
        signal.addEventListener('abort', () => {
          aborted.push('aborted');
          reject(signal.reason as Error);
        });
      });

    it('moves its deadline, on both sides, and leaves no timer behind', async (t) => {
      const clock = stoppedClock();
      const seen: unknown[] = [];
      const aborted: string[] = [];
      const client = await start(
        t,
        {
          async unary(request, context) {
            seen.push(currentClock() === clock, Math.round(timeRemaining() ?? NaN));
            return hanging(aborted)(request, context);
          },
        },
        { clock },
        { clock },
      );
      const late = assert.rejects(client.unary('a', { timeoutMs: 60_000 }), { code: 'timeout.deadline' });
      await until('it runs', () => aborted.length === 1);
      assert.equal(seen[0], true);
      // Over a socket what is left goes in real time, which passes.
      assert.ok((seen[1] as number) > 50_000 && (seen[1] as number) <= 60_000, String(seen[1]));
      clock.move(59_999 - (60_000 - (seen[1] as number)));
      await settle(20);
      assert.deepEqual(aborted, ['began']);
      clock.move(60_000);
      await late;
      await until('the handler is told', () => aborted.length === 2);
      assert.equal(await client.unary('b', { signal: AbortSignal.abort() }).catch((error: { code: string }) => error.code), 'cancelled.caller');
      await until('no timer is left', () => clock.pending === 0);
    });

    it('moves the default deadline, and that of the ambient call, of streams too', async (t) => {
      const clock = stoppedClock();
      let running = 0;
      const client = await start(
        t,
        {
          async *down(_request, { signal }) {
            running++;
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            yield 'x';
          },
        },
        {},
        {},
      );
      const drain = async (): Promise<void> => {
        for await (const _ of client.down('a'));
      };
      const byDefault = assert.rejects(runInCall({ clock }, drain), { code: 'timeout.deadline' });
      await until('it runs', () => running === 1);
      clock.move(10_000);
      await byDefault;
      const byCall = assert.rejects(runInCall({ clock, deadline: clock.monotonic() + 500 }, drain), { code: 'timeout.deadline' });
      await until('it runs again', () => running === 2);
      clock.move(500);
      await byCall;
    });

    it('takes a deadline that was set on another clock for what is left of it', async (t) => {
      const clock = stoppedClock();
      const seen: number[] = [];
      const client = await start(t, { unary: async (request) => (seen.push(timeRemaining() ?? NaN), request) }, {}, { clock });
      await runInCall({ deadline: performance.now() + 30_000 }, () => client.unary('a'));
      const other = { ...systemClock, monotonic: () => performance.now() - 1e6 };
      await runInCall({ clock: other, deadline: other.monotonic() + 30_000 }, () => client.unary('a'));
      for (const left of seen) assert.ok(left > 20_000 && left <= 30_000, String(left));
      await assert.rejects(runInCall({ deadline: performance.now() - 1 }, () => client.unary('a')), { code: 'timeout.deadline' });
      assert.equal(seen.length, 2);
    });

    it('a server of another clock has its own deadline for the same moment', async (t) => {
      const clock = stoppedClock();
      const aborted: string[] = [];
      let deadline: number | undefined;
      const client = await start(
        t,
        {
          unary(request, context) {
            ({ deadline } = currentCall());
            return hanging(aborted)(request, context);
          },
        },
        { clock },
        {},
      );
      const call = assert.rejects(client.unary('a', { timeoutMs: 60_000 }), { code: 'timeout.deadline' });
      await until('it runs', () => aborted.length === 1);
      assert.ok(Math.abs((deadline ?? 0) - clock.monotonic() - 60_000) < 20_000);
      clock.move(60_000);
      await call;
    });
  });
}

describe('pauses between attempts', () => {
  const transport = inprocTransport();
  const connect = (clock: Clock, pauseMs: number, attempts: number[]) =>
    createConnector({
      resolver: staticResolver({ 'test.Test': ['inproc://nobody'] }),
      transports: [transport],
      picker: () => ({ pick: ([first]) => first as never }),
      clock,
      policy: () => ({ begin: () => ({ again: ({ attempt }) => (attempts.push(attempt), attempt < 3 && pauseMs) }) }),
    }).client(TestDefinition);

  it('run by the clock of the call', async () => {
    const clock = stoppedClock();
    const attempts: number[] = [];
    const call = assert.rejects(connect(clock, 1_000, attempts).unary('a'), { code: 'unavailable.not_sent' });
    for (const expected of [1, 2]) {
      await until('it pauses', () => clock.pending === 1);
      assert.equal(attempts.length, expected);
      clock.move(999);
      await settle(5);
      assert.equal(attempts.length, expected);
      clock.move(1);
    }
    await call;
    assert.deepEqual(attempts, [1, 2, 3]);
  });

  it('are not begun when the deadline would end them, and end with the call', async () => {
    const clock = stoppedClock();
    await assert.rejects(connect(clock, 10_000, []).unary('a'), { code: 'unavailable.not_sent' });
    const hangUp = new AbortController();
    const call = assert.rejects(connect(clock, 1_000, []).unary('a', { signal: hangUp.signal }), { code: 'cancelled.caller' });
    await until('it pauses', () => clock.pending === 1);
    hangUp.abort();
    await call;
    assert.equal(clock.pending, 0);
  });
});
