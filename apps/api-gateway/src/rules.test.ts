import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rulesSchema } from './rules.ts';

const version = { id: 'canary:service.account@2.0.0', match: { service: 'service.account' }, share: 0.01, action: { version: '2.0.0' } };

it('takes rules of each kind', () => {
  const rules = [
    version,
    { id: 'slow', match: { method: 'account.v1.AccountService/GetAccount' }, action: { throttle: { rate: 0.5, burst: 2 } } },
    { id: 'old', match: { contract: 'a.v1.A' }, share: 1, salt: 's', action: { deprecate: { since: '2026-01-01T00:00:00Z', sunset: '2027-01-01T00:00:00+01:00', link: 'https://example.com/why' } } },
    { id: 'all', action: { throttle: { rate: 1, burst: 1 } } },
  ];
  assert.deepEqual(rulesSchema.parse(rules).map(({ id, share, match }) => [id, share, match]), [[version.id, 0.01, version.match], ['slow', 1, rules[1]?.match], ['old', 1, rules[2]?.match], ['all', 1, {}]]);
  assert.deepEqual(rulesSchema.parse(undefined), []);
});

it('refuses the whole when something is wrong', () => {
  const wrong: readonly unknown[] = [
    [version, version],
    [{ ...version, share: 1.1 }],
    [{ ...version, share: -0.1 }],
    [{ ...version, share: '0.5' }],
    [{ ...version, id: '' }],
    [{ ...version, id: 'a"b' }],
    [{ ...version, match: {} }],
    [{ ...version, match: { services: 'service.account' } }],
    [{ ...version, action: { version: '' } }],
    [{ ...version, action: { version: '1,b=2' } }],
    [{ ...version, action: { version: '1', throttle: { rate: 1, burst: 1 } } }],
    [{ ...version, action: {} }],
    [{ ...version, action: { throttle: { rate: 0, burst: 1 } } }],
    [{ ...version, action: { throttle: { rate: 1, burst: 0.5 } } }],
    [{ ...version, action: { deprecate: { since: 'yesterday' } } }],
    [{ ...version, action: { deprecate: { since: '2026-01-01T00:00:00Z', sunset: '2025-01-01T00:00:00Z' } } }],
    [{ ...version, action: { deprecate: { since: '2026-01-01T00:00:00Z', link: 'javascript:alert(1)' } } }],
    [{ ...version, match: { method: 'GetAccount' } }],
    [{ ...version, other: 1 }],
    {},
    'x',
    null,
  ];
  for (const rules of wrong) assert.equal(rulesSchema.safeParse(rules).success, false, JSON.stringify(rules));
});
