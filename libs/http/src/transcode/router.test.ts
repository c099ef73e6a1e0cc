import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRouter } from './router.ts';
import { parseTemplate } from './template.ts';

const route = (method: string, pattern: string) => ({ method, pattern, template: parseTemplate(pattern) });
const patterns = ['GET /', 'GET /a', 'POST /a', 'GET /a/{id}', 'POST /a/b', 'POST /a/{id}:close', 'GET /v1/{name=shelves/*}/books', 'GET /v1/{name=files/**}', 'GET /v1/{rest=**}', '* /any'];
const router = createRouter(
  patterns.map((text) => route(text.split(' ')[0] ?? '', text.split(' ')[1] ?? '')),
  () => assert.fail('no clash'),
);

const cases: [method: string, path: string, expected: string, variables?: Record<string, string>][] = [
  ['GET', '/', '/'],
  ['GET', '/a', '/a'],
  ['GET', '/%61', '/a'],
  ['GET', '/a/1', '/a/{id}', { id: '1' }],
  ['GET', '/a/b', '/a/{id}', { id: 'b' }],
  ['POST', '/a/b', '/a/b'],
  ['GET', '/a/x%2Fy%20z', '/a/{id}', { id: 'x/y z' }],
  ['GET', '/a/1:close', '/a/{id}', { id: '1:close' }],
  ['POST', '/a/1:close', '/a/{id}:close', { id: '1' }],
  ['GET', '/v1/shelves/7/books', '/v1/{name=shelves/*}/books', { name: 'shelves/7' }],
  ['GET', '/v1/files/x/y%2Fz', '/v1/{name=files/**}', { name: 'files/x/y%2Fz' }],
  ['GET', '/v1/files', '/v1/{name=files/**}', { name: 'files' }],
  ['GET', '/v1/shelves/7', '/v1/{rest=**}', { rest: 'shelves/7' }],
  ['BREW', '/any', '/any'],
];
for (const [method, path, expected, variables = {}] of cases) {
  test(`${method} ${path} leads to ${expected}`, () => {
    const found = router.find(method, path);
    assert.ok(found && 'route' in found);
    assert.equal(found.route.pattern, expected);
    for (const [name, value] of Object.entries(variables)) assert.equal(found.variable(name), value);
  });
}

test('a path without the method says which it has; other paths are unknown', () => {
  assert.deepEqual(router.find('DELETE', '/a'), { allow: ['GET', 'POST'] });
  for (const path of ['/b', '/a/', '/a/1/2', '//a', `/${'x/'.repeat(100)}`]) assert.equal(router.find('GET', path), undefined);
});

test('a variable that is no UTF-8 is a bad request', () => {
  const found = router.find('GET', '/a/%ff');
  assert.ok(found && 'route' in found);
  assert.throws(() => found.variable('id'), { code: 'bad_request.invalid_encoding' });
});

test('the second of two equal routes is dropped, and told', () => {
  const dropped: string[] = [];
  const clashing = createRouter([route('GET', '/a/{id}'), route('GET', '/a/{name}')], (kept, lost) => dropped.push(`${kept.pattern} ${lost.pattern}`));
  assert.deepEqual(dropped, ['/a/{id} /a/{name}']);
  assert.ok(clashing.find('GET', '/a/1'));
});

for (const wrong of ['a', '/a//b', '/a/', '/{a', '/{a=**}/b', '/{1}', '/a*', '/{a}{b}', '/{a}/{a}', '/a:']) {
  test(`${wrong} is no template`, () => assert.throws(() => parseTemplate(wrong)));
}
