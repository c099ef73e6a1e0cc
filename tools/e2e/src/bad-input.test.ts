import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { ask, login, openAccount, usePlatform, type Ask } from './harness.ts';

const platform = usePlatform();
let token = '';
let account = '';
/** Hooks of a file do not wait for each other, so each test prepares what it needs. */
async function prepare(): Promise<void> {
  token ||= await login(platform());
  account ||= await openAccount(platform(), token);
}

const good = (): Record<string, unknown> => ({ account_id: account, amount: -1, currency: 'GBP', description: 'Tea', dedupe_id: 'bad-input' });
const json = (text: string | Buffer): Ask => ({ raw: { type: 'application/json', body: text } });
const changed = (changes: Record<string, unknown>): Ask => ({ json: { ...good(), ...changes } });
const replaced = (field: string, literal: string): Ask => json(JSON.stringify(good()).replace(new RegExp(`"${field}":[^,}]+`), `"${field}":${literal}`));
const webhook = (url: string): Ask => ({ form: { account_id: account, url } });

/** Name, path, request, status, field. */
const CASES: [string, string, () => Ask, number | readonly number[], string?][] = [
  ['not JSON', '/transactions', () => json('{"account_id":'), 400],
  ['an empty body', '/transactions', () => json(''), 400],
  ['an array', '/transactions', () => json('[]'), 400],
  ['null', '/transactions', () => json('null'), 400],
  ['a string for a number', '/transactions', () => changed({ amount: 'ten' }), 400, 'amount'],
  ['an object for a string', '/transactions', () => changed({ description: {} }), 400, 'description'],
  ['a number for a string', '/transactions', () => changed({ currency: 1 }), 400, 'currency'],
  ['an unknown field', '/transactions', () => changed({ colour: 'red' }), 400, 'colour'],
  ['__proto__', '/transactions', () => replaced('description', '"x","__proto__":{"a":1}'), 400, '__proto__'],
  ['a missing account_id', '/transactions', () => changed({ account_id: undefined }), 400, 'account_id'],
  ['a missing amount', '/transactions', () => changed({ amount: undefined }), 400, 'amount'],
  ['no amount', '/transactions', () => changed({ amount: null }), 400, 'amount'],
  ['a missing currency', '/transactions', () => changed({ currency: undefined }), 400, 'currency'],
  ['a currency that is none', '/transactions', () => changed({ currency: 'pounds' }), 400, 'currency'],
  ['a fractional amount', '/transactions', () => changed({ amount: 1.5 }), 400, 'amount'],
  ['an amount beyond 2^53', '/transactions', () => replaced('amount', '9007199254740993'), 400, 'amount'],
  ['an amount beyond int64', '/transactions', () => replaced('amount', '9223372036854775808'), 400, 'amount'],
  ['an amount beyond int64 as text', '/transactions', () => replaced('amount', '"9223372036854775808"'), 400, 'amount'],
  ['an amount with an exponent', '/transactions', () => replaced('amount', '1e30'), 400, 'amount'],
  ['a long description', '/transactions', () => changed({ description: 'x'.repeat(501) }), 400, 'description'],
  ['invalid UTF-8', '/transactions', () => json(Buffer.concat([Buffer.from('{"description":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])), 400],
  ['deep nesting', '/transactions', () => json('{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)), 400],
  ['a body over 1 MiB', '/transactions', () => changed({ description: 'x'.repeat(1_100_000) }), 413],
  ['a body that is neither JSON nor a form', '/transactions', () => ({ raw: { type: 'text/xml', body: '<a/>' } }), 415],
  ['a form with an unknown field', '/accounts', () => ({ form: { description: 'x', colour: 'red' } }), 400, 'colour'],
  ['a form with a field twice', '/accounts', () => ({ raw: { type: 'application/x-www-form-urlencoded', body: 'description=a&description=b' } }), 400, 'description'],
  ['a form without a required field', '/accounts', () => ({ form: {} }), 400, 'description'],
  ['a negative limit', '/accounts?limit=-1', () => ({}), 400, 'limit'],
  ['a limit that is too high', '/accounts?limit=101', () => ({}), 400, 'limit'],
  ['a limit that is no number', '/accounts?limit=ten', () => ({}), 400, 'limit'],
  ['an unknown query parameter', '/accounts?colour=red', () => ({}), 400, 'colour'],
  ['a time that is none', '/transactions?account_id=ACCOUNT&before=yesterday', () => ({}), 400, 'before'],
  ['a list without its account', '/transactions', () => ({}), 400, 'account_id'],
  ['no such account', '/accounts/acc_none', () => ({}), 404],
  ['an id with odd characters', '/accounts/%00%ff', () => ({}), [400, 404]],
  ['no such path', '/nothing', () => ({}), 404],
  ['a method that the path has not', '/accounts', () => ({ method: 'PATCH' }), 405],
  ...['ftp://example.com/x', 'not a url', 'javascript:alert(1)', 'http://user:password@example.com/', 'http://10.0.0.1/', 'http://169.254.169.254/latest', 'http://[fd00::1]/', 'http://192.168.1.1:8080/', 'http://0x0a000001/', 'http://[::ffff:10.0.0.1]/', `http://example.com/${'x'.repeat(2100)}`].map(
    (url): [string, string, () => Ask, number, string] => [`the webhook ${url.slice(0, 50)}`, '/webhooks', () => webhook(url), 400, 'url'],
  ),
];

test('bad input is refused with a code and the field, and changes nothing', async (t) => {
  await prepare();
  for (const [name, path, request, status, field] of CASES) {
    await t.test(name, async () => {
      const answer = await ask(platform(), path.replace('ACCOUNT', account), { token, ...request() });
      assert.ok([status].flat().includes(answer.status), `${answer.status}: ${JSON.stringify(answer.body)}`);
      assert.match(answer.headers.get('content-type') ?? '', /application\/problem\+json/);
      assert.match(answer.body.code, /^[a-z0-9_]+(\.[a-z0-9_]+)*$/);
      assert.equal(answer.body.stack, undefined);
      if (field !== undefined) assert.ok(answer.body.violations?.some((violation: { field: string }) => violation.field === field), JSON.stringify(answer.body));
    });
  }
  assert.deepEqual((await ask(platform(), `/transactions?account_id=${account}`, { token })).body, { transactions: [] });
  assert.deepEqual((await ask(platform(), `/webhooks?account_id=${account}`, { token })).body, { webhooks: [] });
});

test('tokens that are not ours are refused with 401', async (t) => {
  await prepare();
  const claims = decodeJwt(token);
  const header = decodeProtectedHeader(token);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { privateKey } = generateKeyPairSync('ed25519');
  const sign = (changes: object): Promise<string> => new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...header, alg: 'EdDSA' }).sign(privateKey);
  const [head, body, signature] = token.split('.') as [string, string, string];
  const forged = {
    'no token': undefined,
    'an empty token': '',
    nonsense: 'nonsense',
    'alg none': `${part({ ...header, alg: 'none' })}.${body}.`,
    'HMAC with the public key id': `${part({ alg: 'HS256', kid: header.kid })}.${body}.${signature}`,
    'another key': await sign({}),
    'another key, expired': await sign({ exp: 1 }),
    'changed claims': `${head}.${part({ ...claims, sub: 'user_admin' })}.${signature}`,
    'a signature cut off': `${head}.${body}.`,
  };
  for (const [name, value] of Object.entries(forged)) {
    await t.test(name, async () => {
      const answer = await ask(platform(), '/accounts', value === undefined ? {} : { token: value });
      assert.equal(answer.status, 401, JSON.stringify(answer.body));
      assert.match(answer.body.code, /^unauthorized\./);
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
    });
  }
});

test('the token endpoint answers after RFC 6749', async (t) => {
  const cases: [string, Record<string, string>, number, string][] = [
    ['a wrong secret', { grant_type: 'client_credentials', client_id: 'dev', client_secret: 'guess' }, 401, 'invalid_client'],
    ['an unknown client', { grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'guess' }, 401, 'invalid_client'],
    ['another grant', { grant_type: 'password', client_id: 'dev', client_secret: 'dev-secret' }, 400, 'unsupported_grant_type'],
    ['no grant', { client_id: 'dev', client_secret: 'dev-secret' }, 400, 'invalid_request'],
    ['a scope that it may not have', { grant_type: 'client_credentials', client_id: 'dev', client_secret: 'dev-secret', scope: 'admin' }, 400, 'invalid_scope'],
  ];
  for (const [name, form, status, error] of cases) {
    await t.test(name, async () => {
      const answer = await ask(platform(), '/oauth2/token', { form });
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.body.error, error);
    });
  }
});
