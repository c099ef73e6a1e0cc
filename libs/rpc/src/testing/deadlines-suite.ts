import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { mutableSetting, type LiveSetting } from '@talaria/base';
import { currentCall, runInCall, timeRemaining } from '@talaria/context';
import { ServiceError } from '@talaria/errors';
import { createConnector } from '../connector.ts';
import type { CallDeadlines } from '../live-deadlines.ts';
import { createServer } from '../server.ts';
import { staticResolver } from '../static-resolver.ts';
import type { TransportHarness } from './bench.ts';
import { TestDefinition } from './test-contract.ts';

const MINUTE = 60_000;
/** A contract that gives one of its methods a deadline, and the other none. */
const Definition = {
  bounded: { ...TestDefinition.unary, path: '/test.Bounded/Bounded', options: { deadlineMs: 30_000 } as never },
  free: { ...TestDefinition.unary, path: '/test.Bounded/Free' },
  down: { ...TestDefinition.down, path: '/test.Bounded/Down', options: { deadlineMs: 30_000 } as never },
} as const;

const settled = (call: Promise<unknown>): Promise<unknown> => call.then((value) => value, (error: unknown) => error);
const isLate = (outcome: unknown): boolean => outcome instanceof ServiceError && outcome.code === 'timeout.deadline';

/** How the deadlines of methods change while clients and servers run, over every transport. */
export function deadlinesSuite(harness: TransportHarness): void {
  describe(`${harness.name}: deadlines of methods that change`, () => {
    const transport = harness.create();
    const closing: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closing.splice(0)) await close();
    });

    const open = async ({ ofClient, ofServer }: { readonly ofClient?: LiveSetting<CallDeadlines>; readonly ofServer?: LiveSetting<CallDeadlines> }) => {
      const server = createServer({ transports: [transport], deadlines: ofServer });
      const left = async (request: string): Promise<string> => {
        const { signal } = currentCall();
        // One that waits for its end, and one that says how long it may take.
        if (request === 'wait') await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
        return String(timeRemaining());
      };
      server.add(Definition, {
        bounded: left,
        free: left,
        async *down(request) {
          yield await left(request);
        },
      });
      const address = await server.listen(harness.address);
      const connector = createConnector({ resolver: staticResolver({ 'test.Bounded': [address] }), transports: [transport], picker: () => ({ pick: ([candidate]) => candidate ?? assert.fail('no candidate') }), deadlines: ofClient });
      closing.push(async () => {
        await connector.close();
        await server.drain(0);
      });
      return connector.client(Definition);
    };
    const within = (text: unknown, least: number, most: number): void => assert.ok(Number(text) > least && Number(text) <= most, `${String(text)} is not within ${least} and ${most} ms`);

    it('replace those of the contract, shorter or longer, from the next call on, and end with their entry', async () => {
      const setting = mutableSetting<CallDeadlines>({});
      const client = await open({ ofClient: setting, ofServer: setting });
      within(await client.bounded('a'), 20_000, 30_000);
      setting.set({ 'test.Bounded/Bounded': 10 * MINUTE });
      within(await client.bounded('a'), 5 * MINUTE, 10 * MINUTE);
      for await (const ms of client.down('a')) within(ms, 20_000, 30_000);
      setting.set({ 'test.Bounded/Bounded': 40 });
      assert.ok(isLate(await settled(client.bounded('wait'))));
      setting.set({});
      within(await client.bounded('a'), 20_000, 30_000);
    });

    it('an entry for the contract holds for all its methods, and one for a method goes before it', async () => {
      const setting = mutableSetting<CallDeadlines>({ 'test.Bounded': 10 * MINUTE, 'test.Bounded/Free': 5 * MINUTE, 'test.Other': 1 });
      const client = await open({ ofClient: setting, ofServer: setting });
      within(await client.bounded('a'), 5 * MINUTE, 10 * MINUTE);
      within(await client.free('a'), MINUTE, 5 * MINUTE);
      for await (const ms of client.down('a')) within(ms, 5 * MINUTE, 10 * MINUTE);
    });

    it('are the default of a client, and bound what calls ask for themselves', async () => {
      const setting = mutableSetting<CallDeadlines>({ 'test.Bounded/Free': 5 * MINUTE });
      const client = await open({ ofClient: setting });
      within(await client.free('a'), MINUTE, 5 * MINUTE);
      within(await client.free('a', { timeoutMs: 20_000 }), 0, 20_000);
      within(await client.free('a', { timeoutMs: 60 * MINUTE }), MINUTE, 5 * MINUTE);
      within(await runInCall({ deadline: performance.now() + 20_000 }, () => client.free('a')), 0, 20_000);
    });

    it('bound a call on the server whatever its client wants, streams too, and leave calls in flight alone', async () => {
      const setting = mutableSetting<CallDeadlines>({ 'test.Bounded/Down': 40 });
      const client = await open({ ofServer: setting });
      assert.ok(isLate(await settled(client.down('wait', { timeoutMs: 20_000 })[Symbol.asyncIterator]().next())));
      setting.set({ 'test.Bounded/Down': 10 * MINUTE, 'test.Bounded/Free': 400 });
      const begun = settled(client.free('wait', { timeoutMs: 20_000 }));
      // Answered on the same server after it: the first has begun.
      await client.bounded('a');
      setting.set({ 'test.Bounded/Free': 10 * MINUTE });
      assert.ok(isLate(await begun));
    });

    it('names that every object has are no entries', async () => {
      const client = await open({ ofClient: mutableSetting<CallDeadlines>(Object.create({ 'test.Bounded': 1 }) as CallDeadlines) });
      within(await client.bounded('a'), 20_000, 30_000);
    });
  });
}
