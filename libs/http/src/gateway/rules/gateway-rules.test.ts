import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Message } from '@bufbuild/protobuf';
import { propagation } from '@opentelemetry/api';
import { mutableSetting } from '@talaria/base';
import { installContext } from '@talaria/context';
import { badRequest, internal } from '@talaria/errors';
import { type Endpoint } from '@talaria/rpc';
import { startLibrary, type Library } from '../../testing/library.ts';
import { gatewayRules } from './gateway-rules.ts';
import { type GatewayRule, type RuledCall } from './rule.ts';

installContext();
const CALL: RuledCall = { service: 'service.account', contract: 'account.v1.AccountService', method: 'GetAccount' };
const OTHER: RuledCall = { service: 'service.transaction', contract: 'transaction.v1.TransactionService', method: 'CreateTransaction' };
const canary = (share: number, more: Partial<GatewayRule> = {}): GatewayRule => ({ id: 'c', match: { service: 'service.account' }, share, action: { version: '2.0.0' }, ...more });
const versions = (rules: readonly GatewayRule[], call: RuledCall, principal?: string): string => gatewayRules(mutableSetting(rules)).apply(call, principal).baggage[0]?.[1] ?? '';
const people = Array.from({ length: 2_000 }, (_, index) => `user_${String(index)}`);
const within = (rules: readonly GatewayRule[], call = CALL): string[] => people.filter((one) => versions(rules, call, one).includes('='));

describe('a rule of a version', () => {
  it('gives a share of the principals the version and all others another, the same ones each time', () => {
    const some = within([canary(0.1)]);
    assert.ok(some.length > 140 && some.length < 260, String(some.length));
    const more = within([canary(0.3)]);
    assert.deepEqual(some.filter((one) => !more.includes(one)), [], 'whoever is in stays in');
    assert.notDeepEqual(within([canary(0.1, { id: 'other' })]), some, 'another rule takes others');
    assert.deepEqual(within([canary(0.1, { id: 'other', salt: 'c' })]), some, 'unless it has the same salt');
    assert.equal(versions([canary(0.1)], CALL, people.find((one) => !some.includes(one))), 'service.account!2.0.0');
  });

  it('is for all or nobody at its ends, and has those without an id only when it is for all', () => {
    assert.deepEqual([within([canary(0)]).length, within([canary(1)]).length], [0, people.length]);
    assert.deepEqual([0, 0.999999, 1].map((share) => versions([canary(share)], CALL)), ['service.account!2.0.0', 'service.account!2.0.0', 'service.account=2.0.0']);
  });

  it('holds wherever the call meets the service, unless contract or method say where it comes in', () => {
    assert.equal(versions([canary(1)], OTHER, 'ada'), 'service.account=2.0.0');
    const byMethod = [canary(1, { match: { service: 'service.account', method: 'transaction.v1.TransactionService/CreateTransaction' } })];
    assert.deepEqual([versions(byMethod, CALL, 'ada'), versions(byMethod, OTHER, 'ada')], ['', 'service.account=2.0.0']);
    const byContract = [canary(1, { match: { contract: OTHER.contract } })];
    assert.deepEqual([versions(byContract, CALL, 'ada'), versions(byContract, OTHER, 'ada')], ['', 'service.transaction=2.0.0']);
  });

  it('leaves to the rules after it those who are not in its share', () => {
    const three = canary(0.1, { id: 'next', action: { version: '3.0.0' } });
    const both = people.map((one) => versions([three, canary(1)], CALL, one));
    assert.deepEqual([...new Set(both)].sort(), ['service.account=2.0.0', 'service.account=3.0.0']);
    assert.equal(both.filter((one) => one.endsWith('3.0.0')).length, within([three]).length);
    assert.equal(versions([canary(0), canary(0, { id: 'x', action: { version: '3.0.0' } })], CALL, 'ada'), 'service.account!2.0.0,service.account!3.0.0');
  });
});

/** A gateway whose services run versions 1 and 2, as the baggage of the call wants it. */
async function withGateway(rules: readonly GatewayRule[], use: (library: Library, set: (rules: readonly GatewayRule[]) => void) => Promise<void>, look: (version: string) => void = () => {}): Promise<void> {
  const setting = mutableSetting(rules);
  const called = async (request: Message, { onAttempt }: { onAttempt?: (endpoint: Endpoint) => void }): Promise<Message> => {
    const version = propagation.getActiveBaggage()?.getEntry('talaria-versions')?.value.includes('=') ? '2.0.0' : '1.0.0';
    onAttempt?.({ id: 'a', addresses: [], version });
    look(version);
    return request;
  };
  const library = await startLibrary({ rules: setting, client: () => ({ look: called, mine: called }) });
  try {
    await use(library, (next) => setting.set(next));
  } finally {
    await library.close();
  }
}
const GOOD = { headers: { authorization: 'Bearer good' } };

describe('what a gateway counts for a rule', () => {
  it('is told by version, with faults of ours apart, and begins anew when the rule changes', async () => {
    const rule: GatewayRule = { id: 'r', match: { service: 'service.library' }, share: 1, action: { version: '2.0.0' } };
    const untouched: GatewayRule = { id: 'all', match: {}, share: 0, action: { throttle: { rate: 1, burst: 1 } } };
    let fails: Error | undefined;
    await withGateway([rule, untouched], async ({ fetch, gateway }, set) => {
      for (fails of [undefined, undefined, badRequest('x', 'Yours.'), internal('x', 'Ours.'), new Error('ours')]) await fetch('/everything');
      const [counted] = gateway.ruleStats();
      assert.deepEqual(counted?.versions.map(({ service, version, inShare, calls, errors }) => ({ service, version, inShare, calls, errors })), [{ service: 'service.library', version: '2.0.0', inShare: true, calls: 5, errors: 2 }]);
      const latency = counted?.versions[0]?.latency;
      assert.equal(latency?.buckets.reduce((sum, { count }) => sum + count, 0), 5);
      assert.ok(latency && latency.p50Ms > 0 && latency.p99Ms >= latency.p50Ms);
      fails = undefined;
      await fetch('/everything?nope=1');
      assert.equal(gateway.ruleStats()[0]?.versions[0]?.calls, 5, 'what the gateway itself refuses says nothing of a version');
      set([{ ...rule, share: 0.5 }, { ...untouched }]);
      await fetch('/everything');
      const [anew, same] = gateway.ruleStats();
      assert.deepEqual([anew?.share, anew?.versions.map(({ version, inShare, calls }) => [version, inShare, calls])], [0.5, [['1.0.0', false, 1]]]);
      assert.equal(same?.versions.reduce((sum, { calls }) => sum + calls, 0), 6, 'another rule goes on counting');
      set([]);
      assert.deepEqual(gateway.ruleStats(), []);
    }, () => { if (fails) throw fails; });
  });

  it('leaves out calls that their clients gave up', async () => {
    const arrived = Promise.withResolvers<void>();
    const rule: GatewayRule = { id: 'r', match: {}, share: 0, action: { throttle: { rate: 1, burst: 1 } } };
    const library = await startLibrary({ rules: mutableSetting<readonly GatewayRule[]>([rule]) });
    const ended = Promise.withResolvers<void>();
    library.answer('look', (_request, { signal }) => (arrived.resolve(), new Promise((_, reject) => signal.addEventListener('abort', () => (ended.resolve(), reject(new Error('gone')))))));
    const hangUp = new AbortController();
    const hanging = library.fetch('/everything', { signal: hangUp.signal });
    await arrived.promise;
    hangUp.abort();
    await assert.rejects(hanging);
    await ended.promise;
    library.answer('look', (request) => request);
    assert.equal((await library.fetch('/everything')).status, 200);
    assert.deepEqual(library.gateway.ruleStats()[0]?.versions.map(({ calls, errors }) => [calls, errors]), [[1, 0]]);
    await library.close();
  });
});

describe('a rule that throttles', () => {
  const slow: GatewayRule = { id: 'slow', match: { method: 'library.v1.Library/Mine' }, share: 1, action: { throttle: { rate: 0.01, burst: 2 } } };
  it('refuses what a principal asks too often, and says for how long', async () => {
    await withGateway([slow], async ({ fetch, gateway }, set) => {
      const first = await fetch('/mine', GOOD);
      assert.deepEqual([first.status, first.headers.get('ratelimit-policy'), first.headers.get('ratelimit')], [200, '"slow";q=2;w=200', '"slow";r=1;t=100']);
      assert.equal((await fetch('/mine', GOOD)).status, 200);
      const refused = await fetch('/mine', GOOD);
      const body = (await refused.json()) as { code: string; params: { rule: string } };
      assert.deepEqual([refused.status, body.code, body.params.rule, refused.headers.get('content-type')], [429, 'rate_limited.throttled', 'slow', 'application/problem+json']);
      const wait = Number(refused.headers.get('retry-after'));
      assert.ok(wait > 60 && wait <= 100, String(wait));
      assert.equal(refused.headers.get('ratelimit'), `"slow";r=0;t=${wait}`, 'both say the same');
      assert.deepEqual([gateway.ruleStats()[0]?.refused, gateway.ruleStats()[0]?.versions[0]?.calls], [1, 2]);
      assert.equal((await fetch('/everything', GOOD)).status, 200, 'another method');
      set([{ ...slow, share: 0 }]);
      const out = await fetch('/mine', GOOD);
      assert.deepEqual([out.status, out.headers.get('ratelimit')], [200, null], 'whoever is not in its share');
    });
  });

  it('is not for calls without a principal: strangers could lock others out', async () => {
    await withGateway([{ ...slow, match: {} }], async ({ fetch }) => {
      for (let time = 0; time < 4; time++) assert.equal((await fetch('/everything')).status, 200);
    });
  });
});

describe('a rule that deprecates', () => {
  const old: GatewayRule = { id: 'old', match: { method: 'library.v1.Library/Look' }, share: 1, action: { deprecate: { since: '2026-01-02T03:04:05Z', sunset: '2027-01-02T03:04:05Z', link: 'https://example.com/why?a=b c' } } };
  it('says so in answers, whatever they are, and in what describes the method', async () => {
    await withGateway([old], async ({ fetch }, set) => {
      const told = (response: Response): unknown[] => [response.headers.get('deprecation'), response.headers.get('sunset'), response.headers.get('link')];
      const expected = ['@1767323045', 'Sat, 02 Jan 2027 03:04:05 GMT', '<https://example.com/why?a=b%20c>; rel="deprecation"'];
      assert.deepEqual(told(await fetch('/everything')), expected);
      const wrong = await fetch('/everything?nope=1');
      assert.deepEqual([wrong.status, ...told(wrong)], [400, ...expected]);
      assert.deepEqual(told(await fetch('/mine', GOOD)), [null, null, null]);
      const described = async (): Promise<Record<string, Record<string, { deprecated?: boolean }>>> => ((await (await fetch('/openapi.json')).json()) as { paths: never }).paths;
      assert.deepEqual([(await described())['/everything']?.['get']?.deprecated, (await described())['/everything']?.['post']?.deprecated], [true, undefined]);
      set([]);
      assert.equal((await described())['/everything']?.['get']?.deprecated, undefined);
      assert.deepEqual(told(await fetch('/everything')), [null, null, null]);
    });
  });
});
