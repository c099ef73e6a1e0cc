import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { context as otel, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { installContext } from '@talaria/context';
import { type Message } from '@bufbuild/protobuf';
import { emptyMessage, rememberingLog, startLibrary } from '../testing/library.ts';
import { strangersBaggage, withBaggage, type BaggageFor } from './edge-baggage.ts';
import { type EdgeCall } from './edge-call.ts';

installContext();
const active = (): Record<string, string> => Object.fromEntries(propagation.getActiveBaggage()?.getAllEntries().map(([name, { value }]) => [name, value]) ?? []);

/** A gateway whose client notes the baggage that calls are made with. */
async function withHook(baggageFor: BaggageFor, use: (fetch: (target: string, init?: RequestInit) => Promise<Response>, seen: () => Record<string, string> | undefined, lines: readonly string[]) => Promise<void>): Promise<void> {
  let seen: Record<string, string> | undefined;
  const noting = async (request: Message): Promise<Message> => {
    seen = active();
    return request;
  };
  const library = await startLibrary({ baggageFor, client: () => ({ echo: noting, mine: noting, ping: async () => emptyMessage(), look: noting }) });
  try {
    await use(library.fetch, () => seen, library.log.lines);
  } finally {
    await library.close();
  }
}

describe('baggage that the gateway gives', () => {
  it('goes with the call, and is decided by who calls and for what', async () => {
    let told: EdgeCall | undefined;
    const hook: BaggageFor = (call) => ((told = call), { 'talaria-who': call.principal?.id ?? 'nobody', 'talaria-shelf': call.field('shelf.id') ?? 'none' });
    await withHook(hook, async (fetch, seen) => {
      assert.equal((await fetch('/shelves/7/everything?small=3&colour=COLOUR_RED', { headers: { 'X-Device': 'd1' } })).status, 200);
      assert.deepEqual(seen(), { 'talaria-who': 'nobody', 'talaria-shelf': '7' });
      assert.deepEqual([told?.service, told?.contract, told?.method, told?.header('x-DEVICE'), told?.header('x-none')], ['service.library', 'library.v1.Library', 'Look', 'd1', undefined]);
      assert.deepEqual(['small', 'colour', 'shelf', 'shelf.nothing', 'id', 'numbers', 'small.x', '', '__proto__'].map((path) => told?.field(path)), ['3', 'COLOUR_RED', undefined, undefined, undefined, undefined, undefined, undefined, undefined]);
      assert.equal((await fetch('/mine', { headers: { authorization: 'Bearer good' } })).status, 200);
      assert.deepEqual(seen(), { 'talaria-who': 'user_1', 'talaria-shelf': 'none' });
    });
  });

  it('is left out where it is wrong, and the call is answered', async () => {
    await withHook(() => ({ tenant: 'acme', 'talaria-x': '1' }), async (fetch, seen, lines) => {
      assert.equal((await fetch('/everything')).status, 200);
      assert.deepEqual(seen(), { 'talaria-x': '1' });
      assert.ok(lines.some((line) => line.includes('names that begin with talaria-')));
    });
    await withHook(() => { throw new Error('no flags'); }, async (fetch, seen, lines) => {
      assert.equal((await fetch('/everything')).status, 200);
      assert.deepEqual(seen(), {});
      assert.ok(lines.some((line) => line.includes('goes on without it')));
    });
  });

  it('is not asked for when the caller is refused', async () => {
    let asked = 0;
    await withHook(() => ((asked += 1), {}), async (fetch) => {
      assert.equal((await fetch('/mine')).status, 401);
      assert.equal((await fetch('/everything?nope=1')).status, 400);
      assert.equal(asked, 0);
    });
  });

  it('comes before, and in place of, what strangers sent', () => {
    const theirs = propagation.createBaggage({ tenant: { value: 'acme' }, 'talaria-x': { value: 'forged' } });
    otel.with(propagation.setBaggage(ROOT_CONTEXT, theirs), () => withBaggage([['talaria-x', '1']], () => assert.deepEqual(Object.entries(active()), [['talaria-x', '1'], ['tenant', 'acme']])));
  });

  it('cannot be sent by strangers, whatever is allowed', () => {
    const log = rememberingLog();
    assert.deepEqual([...strangersBaggage(['tenant', 'talaria-versions', 'Talaria-X'], log)], ['tenant']);
    assert.equal(log.lines.length, 1);
    assert.deepEqual([...strangersBaggage(['tenant'], log)], ['tenant']);
    assert.equal(log.lines.length, 1);
  });
});
