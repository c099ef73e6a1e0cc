import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Status } from '@talaria/rpc';
import { faultRulesSetting, faultsAllowed } from './fault-rules.ts';

const allowed = faultRulesSetting(true).schema;
const rule = (more: object): object => ({ side: 'client', fault: { delay: '200ms' }, ...more });

test('rules are what JSON says, with times in ms', () => {
  assert.deepEqual(allowed.parse(undefined), []);
  const given = [
    { id: 'slow', side: 'client', method: 'account.v1.AccountService/GetAccount', percentage: 20, fault: { delay: '200ms', jitter: '50ms' } },
    { side: 'server', caller: 'service.transaction', header: { name: 'x-test', value: '1' }, fault: { delay: '1s', error: { code: 'UNAVAILABLE', message: 'gone' } } },
    { side: 'server', method: 'account.v1', fault: { abort: { afterMessages: 2 } } },
    { side: 'server', method: 'acc*', fault: { blackhole: true } },
    { side: 'client', address: '127.0.0.1:4000', fault: { corrupt: 'flip' } },
    { side: 'client', instance: 'inst_1', fault: { trickle: { bytesPerSecond: 10 } } },
  ];
  const [first, second, ...others] = allowed.parse(given);
  assert.deepEqual(first, { ...given[0], fault: { delay: 200, jitter: 50 } });
  assert.deepEqual(second, { ...given[1], fault: { delay: 1_000, error: { code: 'UNAVAILABLE', message: 'gone' } } });
  assert.deepEqual(others, given.slice(2));
});

test('what is no rule is refused, with what to write instead', () => {
  const cases: [unknown, RegExp][] = [
    [{}, /expected array/],
    [[rule({ side: 'both' })], /use client .* or server/],
    [[rule({ percentage: 120 })], /100/],
    [[rule({ percentage: '10' })], /from 0 to 100/],
    [[rule({ method: 'no method' })], /account\.v1\.AccountService\/GetAccount/],
    [[rule({ header: { name: 'X-Test' } })], /small letters/],
    [[rule({ id: 'a b' })], /letters/],
    [[rule({ unknown: 1 })], /unknown/],
    [[rule({ fault: {} })], /give one of delay, error/],
    [[rule({ fault: { jitter: '1s' } })], /give delay too/],
    [[rule({ fault: { blackhole: true, corrupt: true } })], /give one of delay, error/],
    [[rule({ fault: { error: { code: 'OOPS' } } })], /UNAVAILABLE/],
    [[rule({ fault: { delay: 'soon' } })], /a time such as 500ms/],
    [[{ side: 'server', address: '127.0.0.1:1', fault: { blackhole: true } }], /needs side client/],
    [[rule({ id: 'a' }), rule({ id: 'a' })], /the same id/],
    [[rule({ id: 'rule-2' }), rule({})], /the same id/],
  ];
  for (const [given, expected] of cases) {
    const { success, error } = allowed.safeParse(given);
    assert.equal(success, false, JSON.stringify(given));
    assert.match(error?.message ?? '', expected);
  }
});

test('takes every status but OK', () => {
  for (const code of Object.keys(Status).filter((key) => Number.isNaN(Number(key)) && key !== 'OK' && key !== 'UNRECOGNIZED')) allowed.parse([rule({ fault: { error: { code } } })]);
});

test('faults are refused unless the environment allows them', () => {
  assert.equal(faultsAllowed({}), false);
  assert.equal(faultsAllowed({ TALARIA_FAULTS: 'refuse' }), false);
  assert.equal(faultsAllowed({ TALARIA_FAULTS: 'allow' }), true);
  const refused = faultRulesSetting(false).schema;
  assert.deepEqual(refused.parse([]), []);
  assert.match(refused.safeParse([rule({})]).error?.message ?? '', /start the service with TALARIA_FAULTS=allow/);
});
