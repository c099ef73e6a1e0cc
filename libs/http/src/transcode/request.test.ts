import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toJson } from '@bufbuild/protobuf';
import { ServiceError } from '@talaria/errors';
import { libraryContract } from '../testing/library-contract.ts';
import { createRouter } from './router.ts';
import { readRequest } from './request.ts';
import { readRoutes } from './routes.ts';

const router = createRouter(readRoutes(libraryContract).routes, () => assert.fail('no clash'));
type Type = 'json' | 'form' | undefined;

/** The request message, as protobuf-es's own JSON. */
function read(call: string, body: string | Uint8Array = '', contentType: Type = body === '' ? undefined : 'json', more: object = {}): unknown {
  const [method = '', target = ''] = call.split(' ');
  const [path = '', query = ''] = target.split('?');
  const found = router.find(method, path);
  assert.ok(found && 'route' in found, call);
  const message = readRequest(found.route, { variable: found.variable, query, body: Buffer.from(body as string), contentType, ...more });
  return toJson(found.route.desc.input, message, { useProtoFieldName: true, registry: found.route.registry });
}

function failure(act: () => unknown): ServiceError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    assert.equal(error.kind.http, 400);
    return error;
  }
  return assert.fail('it was accepted');
}

const accepted: [what: string, json: string, expected: unknown][] = [
  ['an empty object', '{}', {}],
  ['both kinds of names', '{"any_value": 1, "small": 2}', { any_value: 1, small: 2 }],
  ['JSON names', '{"anyValue": "x"}', { any_value: 'x' }],
  ['null as absent', '{"small": null, "shelf": null, "numbers": null}', {}],
  ['integers behind points and exponents', '{"small": 1.0, "count": 2e3, "big": 9007199254740993, "huge": 18446744073709551615}', { small: 1, count: 2000, big: '9007199254740993', huge: '18446744073709551615' }],
  ['integers as text', '{"small": "-7", "big": "-9223372036854775808"}', { small: -7, big: '-9223372036854775808' }],
  ['the greatest JS_NUMBER', '{"amount": -9007199254740991, "amounts": [9007199254740991]}', { amount: '-9007199254740991', amounts: ['9007199254740991'] }],
  ['zero in every dress', '{"amount": -0.0e99, "small": 0e-5}', {}],
  ['floats', '{"ratio": 1e-3, "single": "NaN"}', { ratio: 0.001, single: 'NaN' }],
  ['bytes in both alphabets', '{"raw": "-_8"}', { raw: '+/8=' }],
  ['enums by name and number', '{"colour": "COLOUR_RED", "shelf": {"colour": 1}}', { colour: 'COLOUR_RED', shelf: { colour: 'COLOUR_RED' } }],
  ['nested messages and lists', '{"shelf": {"inner": {"names": ["a", "b"]}}, "shelves": [{"id": "1"}, {}]}', { shelf: { inner: { names: ['a', 'b'] } }, shelves: [{ id: '1' }, {}] }],
  ['maps, also with odd keys', '{"labels": {"a": 1, "__proto__": 2}}', { labels: JSON.parse('{"a":1,"__proto__":2}') }],
  ['well-known types', '{"at": "2026-01-31T12:00:00Z", "lasts": "1.500s", "mask": "a,b", "maybe": 0, "flag": false}', { at: '2026-01-31T12:00:00Z', lasts: '1.500s', mask: 'a,b', maybe: 0, flag: false }],
  ['free JSON', '{"free": {"a": [1, 1e20, null, {"__proto__": 1}]}}', { free: JSON.parse('{"a":[1,1e20,null,{"__proto__":1}]}') }],
  ['null as a value of Value', '{"any_value": null}', { any_value: null }],
  ['one side of a oneof', '{"left": "", "right": null}', { left: '' }],
  ['nesting below the limit', `{"any_value": ${'['.repeat(90)}${']'.repeat(90)}}`, { any_value: JSON.parse('['.repeat(90) + ']'.repeat(90)) }],
];
for (const [what, json, expected] of accepted) {
  test(`JSON: ${what}`, () => assert.deepEqual(read('POST /everything', json), expected));
}

const refused: [json: string, code: string, field?: string][] = [
  ['', 'missing_body', 'body'],
  ['{', 'invalid_json'],
  ['nonsense', 'invalid_json'],
  ["{'a': 1}", 'invalid_json'],
  ['{"small": 01}', 'invalid_json'],
  ['{"small": 1,}', 'invalid_json'],
  ['{"id": "a\nb"}', 'invalid_json'],
  ['[]', 'invalid_param', 'body'],
  ['null', 'invalid_param', 'body'],
  ['1e400', 'invalid_param', 'body'],
  ['"x"', 'invalid_param', 'body'],
  ['{"nope": 1}', 'unknown_param', 'nope'],
  ['{"__proto__": {"small": 1}}', 'unknown_param', '__proto__'],
  ['{"constructor": 1}', 'unknown_param', 'constructor'],
  ['{"toString": 1}', 'unknown_param', 'toString'],
  ['{"shelf": {"nope": 1}}', 'unknown_param', 'shelf.nope'],
  ['{"shelves": [{}, {"size": "x"}]}', 'invalid_param', 'shelves[1].size'],
  ['{"small": 1, "small": 2}', 'duplicate_param', 'small'],
  ['{"small": 1, "sma\\u006cl": 2}', 'duplicate_param', 'small'],
  ['{"any_value": 1, "anyValue": 2}', 'duplicate_param', 'any_value'],
  ['{"left": "a", "right": 1}', 'duplicate_param', 'right'],
  ['{"id": 1}', 'invalid_param', 'id'],
  ['{"id": 9007199254740993}', 'invalid_param', 'id'],
  ['{"id": ["a"]}', 'invalid_param', 'id'],
  ['{"id": "\\ud800"}', 'invalid_param', 'id'],
  ['{"id": "a\\u0000"}', 'invalid_param', 'id'],
  ['{"small": "1 "}', 'invalid_param', 'small'],
  ['{"small": ""}', 'invalid_param', 'small'],
  ['{"small": true}', 'invalid_param', 'small'],
  ['{"small": 1.5}', 'invalid_param', 'small'],
  ['{"small": 4.0000000000000000000001}', 'invalid_param', 'small'],
  ['{"small": 2147483648}', 'invalid_param', 'small'],
  ['{"small": {}}', 'invalid_param', 'small'],
  ['{"count": -1}', 'invalid_param', 'count'],
  ['{"big": 9223372036854775808}', 'invalid_param', 'big'],
  ['{"big": 1e30}', 'invalid_param', 'big'],
  ['{"big": 1e999999999999}', 'invalid_param', 'big'],
  [`{"big": 1${'0'.repeat(5000)}}`, 'invalid_param', 'big'],
  ['{"huge": 18446744073709551616}', 'invalid_param', 'huge'],
  ['{"amount": 9007199254740992}', 'invalid_param', 'amount'],
  ['{"amount": 9007199254740993}', 'invalid_param', 'amount'],
  ['{"amount": "9007199254740993"}', 'invalid_param', 'amount'],
  ['{"amount": 9.007199254740993e15}', 'invalid_param', 'amount'],
  ['{"amount": 1e30}', 'invalid_param', 'amount'],
  ['{"amount": -5.2}', 'invalid_param', 'amount'],
  ['{"amount": 0.1e-5}', 'invalid_param', 'amount'],
  ['{"amounts": [1, 9007199254740993]}', 'invalid_param', 'amounts[1]'],
  ['{"amounts": 1}', 'invalid_param', 'amounts'],
  ['{"amounts": [null]}', 'invalid_param', 'amounts[0]'],
  ['{"ratio": 1e309}', 'invalid_param', 'ratio'],
  ['{"ratio": "x"}', 'invalid_param', 'ratio'],
  ['{"ratio": "0x10"}', 'invalid_param', 'ratio'],
  ['{"single": 1e39}', 'invalid_param', 'single'],
  ['{"yes": "true"}', 'invalid_param', 'yes'],
  ['{"yes": 1}', 'invalid_param', 'yes'],
  ['{"raw": "!"}', 'invalid_param', 'raw'],
  ['{"colour": "PINK"}', 'invalid_param', 'colour'],
  ['{"colour": "1"}', 'invalid_param', 'colour'],
  ['{"colour": 1.5}', 'invalid_param', 'colour'],
  ['{"shelf": []}', 'invalid_param', 'shelf'],
  ['{"shelf": 1e30}', 'invalid_param', 'shelf'],
  ['{"at": "yesterday"}', 'invalid_param', 'at'],
  ['{"at": 5}', 'invalid_param', 'at'],
  ['{"lasts": "5"}', 'invalid_param', 'lasts'],
  ['{"maybe": "x"}', 'invalid_param', 'maybe'],
  ['{"free": []}', 'invalid_param', 'free'],
  ['{"free": {"a": "\\ud800"}}', 'invalid_param', 'free'],
  ['{"labels": {"a": "x"}}', 'invalid_param', 'labels["a"]'],
  ['{"labels": {"a": null}}', 'invalid_param', 'labels["a"]'],
  ['{"labels": []}', 'invalid_param', 'labels'],
  [`{"any_value": ${'['.repeat(100)}${']'.repeat(100)}}`, 'too_deep'],
  ['['.repeat(500_000), 'too_deep'],
  ['{"a":'.repeat(100_000), 'too_deep'],
];
for (const [json, code, field] of refused) {
  test(`JSON: ${json.slice(0, 60)} is bad_request.${code}`, () => {
    const error = failure(() => read('POST /everything', json, 'json'));
    assert.equal(error.code, `bad_request.${code}`);
    assert.equal(error.violations[0]?.field, field ?? 'body');
  });
}

test('every mistake is named, up to twenty', () => {
  const error = failure(() => read('POST /everything', '{"small": "x", "nope": 1, "shelf": {"size": []}}'));
  assert.deepEqual(error.violations.map(({ field }) => field), ['small', 'nope', 'shelf.size']);
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${String(index)}`, 1])));
  assert.equal(failure(() => read('POST /everything', many)).violations.length, 20);
});

test('a body that is no UTF-8 is refused, in JSON and in forms', () => {
  assert.equal(failure(() => read('POST /everything', Buffer.from([0x7b, 0x22, 0xff, 0x22]), 'json')).code, 'bad_request.invalid_utf8');
  assert.equal(failure(() => read('POST /everything', Buffer.from([0x69, 0x64, 0x3d, 0xff]), 'form')).code, 'bad_request.invalid_utf8');
  assert.equal(failure(() => read('POST /everything', 'id=%ff', 'form')).code, 'bad_request.invalid_encoding');
  assert.equal(failure(() => read('POST /everything', 'id=%zz', 'form')).code, 'bad_request.invalid_encoding');
});

const params: [pairs: string, expected: unknown][] = [
  ['', {}],
  ['id=a+b%26c&small=-3&yes=true&colour=COLOUR_RED', { id: 'a b&c', small: -3, yes: true, colour: 'COLOUR_RED' }],
  ['numbers=1&numbers=2', { numbers: [1, 2] }],
  ['shelf.inner.id=x&shelf.size=3&shelf.names=a&shelf.names=b', { shelf: { inner: { id: 'x' }, size: 3, names: ['a', 'b'] } }],
  ['anyValue=', undefined],
  ['at=2026-01-31T12:00:00Z&lasts=2s&maybe=5&flag=true', { at: '2026-01-31T12:00:00Z', lasts: '2s', maybe: 5, flag: true }],
  ['&&id=a&', { id: 'a' }],
  ['id', {}],
  ['colour=1', { colour: 'COLOUR_RED' }],
];
for (const [pairs, expected] of params) {
  test(`parameters: ${pairs} in a query and in a form`, () => {
    for (const act of [() => read(`GET /everything?${pairs}`), () => read('POST /everything', pairs, 'form')]) {
      if (expected) assert.deepEqual(act(), expected);
      else assert.match(failure(act).code, /^bad_request\./);
    }
  });
}

const badParams: [pairs: string, code: string, field: string][] = [
  ['nope=1', 'unknown_param', 'nope'],
  ['__proto__=1', 'unknown_param', '__proto__'],
  ['constructor.name=1', 'unknown_param', 'constructor.name'],
  ['shelf.nope=1', 'unknown_param', 'shelf.nope'],
  ['id.x=1', 'unknown_param', 'id.x'],
  ['=1', 'unknown_param', ''],
  ['id=a&id=b', 'duplicate_param', 'id'],
  ['shelf.size=1&shelf.size=2', 'duplicate_param', 'shelf.size'],
  ['left=a&right=1', 'duplicate_param', 'right'],
  ['small=', 'invalid_param', 'small'],
  ['small=1.5', 'invalid_param', 'small'],
  ['small=0x10', 'invalid_param', 'small'],
  ['small=%201', 'invalid_param', 'small'],
  ['amount=9007199254740993', 'invalid_param', 'amount'],
  ['amount=1e30', 'invalid_param', 'amount'],
  ['big=9223372036854775808', 'invalid_param', 'big'],
  ['yes=1', 'invalid_param', 'yes'],
  ['yes=TRUE', 'invalid_param', 'yes'],
  ['shelf=x', 'invalid_param', 'shelf'],
  ['shelves=x', 'invalid_param', 'shelves'],
  ['labels=x', 'invalid_param', 'labels'],
  ['free=x', 'invalid_param', 'free'],
  ['at=5', 'invalid_param', 'at'],
  ['id=%00', 'invalid_param', 'id'],
  ['small=1[]', 'invalid_param', 'small'],
  [`${'shelf.'.repeat(5000)}id=1`, 'unknown_param', `${'shelf.'.repeat(5000)}id`.slice(0, 200) + '…'],
];
for (const [pairs, code, field] of badParams) {
  test(`parameters: ${pairs.slice(0, 60)} is bad_request.${code}, in a query and in a form`, () => {
    for (const act of [() => read(`GET /everything?${pairs}`), () => read('POST /everything', pairs, 'form')]) {
      const error = failure(act);
      assert.equal(error.code, `bad_request.${code}`);
      assert.equal(error.violations[0]?.field, field);
    }
  });
}

test('path, body and query each fill their part', () => {
  assert.deepEqual(read('GET /shelves/7/everything?small=1'), { shelf: { id: '7' }, small: 1 });
  assert.deepEqual(read('GET /v1/things/a%2Fb/parts/x/y'), { id: 'things/a%2Fb/parts/x/y' });
  assert.deepEqual(read('PUT /shelves/7?small=1', '{"theme": "old"}'), { shelf: { id: '7', theme: 'old' }, small: 1 });
  assert.deepEqual(read('PUT /shelves/7', 'theme=old', 'form'), { shelf: { id: '7', theme: 'old' } });
  assert.deepEqual(read('PUT /shelves/7', '{"id": "7"}'), { shelf: { id: '7' } });
  assert.deepEqual(read('PATCH /everything/1/amounts', '[1, 2]'), { id: '1', amounts: ['1', '2'] });
  assert.deepEqual(read('POST /everything/a:close', '{"small": 1}'), { id: 'a', small: 1 });
  assert.deepEqual(read('POST /ping'), {});
});

test('no part fills what another one gave', () => {
  for (const call of ['PUT /shelves/7', 'PATCH /everything/1/amounts']) {
    const { code, violations } = failure(() => read(call, 'null'));
    assert.deepEqual([code, violations.length], ['bad_request.invalid_param', 1], call);
  }
  assert.equal(failure(() => read('PUT /shelves/7', '{"id": "8"}')).violations[0]?.field, 'shelf.id');
  assert.equal(failure(() => read('GET /shelves/7/everything?shelf.id=8')).code, 'bad_request.duplicate_param');
  assert.equal(failure(() => read('PUT /shelves/7?shelf.theme=x', '{}')).code, 'bad_request.duplicate_param');
  assert.equal(failure(() => read('POST /everything?small=1', '{}')).code, 'bad_request.unknown_param');
  assert.equal(failure(() => read('GET /everything', '{}')).code, 'bad_request.unexpected_body');
  assert.equal(failure(() => read('GET /shelves/%ff/everything')).violations[0]?.field, 'shelf.id');
});

test('what RFC 6749 says of unknown parameters holds where it is asked for', () => {
  assert.deepEqual(read('POST /oauth2/library', 'id=1&nope=2', 'form', { ignoreUnknown: true, extra: [['left', 'x']] }), { id: '1', left: 'x' });
  assert.equal(failure(() => read('POST /oauth2/library', 'id=1', 'form', { extra: [['id', 'x']] })).code, 'bad_request.duplicate_param');
});

test('no garbage is anything but a 400', () => {
  const alphabet = ['{', '}', '[', ']', '"', ':', ',', '\\', 'u', 'd800', '1', 'e', '-', '.', 'null', 'true', '"small"', '"shelf"', '"at"', '__proto__', '\0', ' ', '%', '&', '=', '+', 'é'];
  let state = 42;
  const next = (limit: number): number => (state = (state * 1103515245 + 12345) % 2147483648) % limit;
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: next(25) + 1 }, () => alphabet[next(alphabet.length)]).join('');
    for (const act of [() => read('POST /everything', text, 'json'), () => read('POST /everything', text, 'form'), () => read(`GET /everything?${text.replaceAll('?', '')}`)]) {
      try {
        act();
      } catch (error) {
        assert.ok(error instanceof ServiceError && error.kind.http === 400, `${text}: ${String(error)}`);
      }
    }
  }
});
