import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { libraryContract } from '../../testing/library-contract.ts';
import { readRoutes, type Route } from '../../transcode/routes.ts';
import { clientSample } from './client.ts';
import { fillPath, httpRequest } from './http-request.ts';
import { bufCurlSample, curlSample } from './shell.ts';
import { tsLiteral } from './ts-literal.ts';

const { routes } = readRoutes(libraryContract);
const route = (name: string, nth = 0): Route => routes.filter(({ desc }) => desc.name === name)[nth] ?? assert.fail(name);

describe('a request over HTTP', () => {
  it('puts each field where the route wants it', () => {
    const example = { id: 'a b', shelf: { id: 's/1', theme: 'x' }, numbers: [1, 2], labels: { a: 1 } };
    assert.deepEqual(httpRequest(route('Echo'), example), { method: 'POST', target: '/everything', body: example });
    assert.deepEqual(httpRequest(route('Look'), example), { method: 'GET', target: '/everything?id=a%20b&numbers=1&numbers=2&shelf.id=s%2F1&shelf.theme=x', body: undefined });
    assert.deepEqual(httpRequest(route('PutShelf'), example), { method: 'PUT', target: '/shelves/s%2F1?id=a%20b&numbers=1&numbers=2', body: { theme: 'x' } });
    assert.deepEqual(httpRequest(route('Close'), { id: "a'b", small: 1 }), { method: 'POST', target: '/everything/a%27b:close', body: { small: 1 } });
  });

  it('has a value for each variable of the path', () => {
    assert.deepEqual(fillPath(route('Look', 1), { id: 'things/7/parts/8' }), { id: 'things/7/parts/8' });
    assert.deepEqual(fillPath(route('Look', 1), { id: 'x' }), { id: 'things/thing_1/parts/part_1' });
    assert.deepEqual(fillPath(route('Look', 2), {}), { shelf: { id: 'id_1' } });
  });
});

describe('samples', () => {
  it('survive a shell, whatever the example holds', () => {
    const { source } = curlSample(route('Echo'), { id: "it's $HOME `x` \\" });
    assert.ok(source.includes(`-d '{"id":"it'\\''s $HOME \`x\` \\\\"}'`), source);
    const get = curlSample(route('Look'), { id: '$(x) `y` "!' }).source;
    assert.doesNotMatch(get.replace('${PORT:-8080}', ''), /[$`!]/);
    assert.match(curlSample(route('Report'), {}).source, /^curl -sS -X REPORT /);
    assert.match(curlSample(route('Watch'), {}).source, /^curl -sSN "/);
    assert.match(curlSample(route('Mine'), {}).source, /-H "Authorization: Bearer \$TOKEN"/);
    assert.doesNotMatch(bufCurlSample(route('Echo').desc, false, {}).source, /token/);
  });

  it('write values as ts-proto has them', () => {
    const example = { big: '7', amount: 5, ratio: 1.5, single: 'NaN', raw: 'eA==', at: '2026-01-31T12:00:00Z', lasts: '-1.5s', mask: 'someName,other', maybe: 3, free: { a: [1] }, labels: { 'a b': 1 }, left: "it's", colour: 'COLOUR_RED' };
    assert.equal(
      tsLiteral(route('Echo').desc.input, example, new Set()),
      "{ big: 7n, amount: 5n, ratio: 1.5, single: NaN, raw: Buffer.from('eA==', 'base64'), colour: Colour.COLOUR_RED, at: new Date('2026-01-31T12:00:00Z'), " +
        "lasts: { seconds: -1n, nanos: -500000000 }, mask: ['some_name', 'other'], maybe: 3, free: {\"a\":[1]}, labels: { 'a b': 1 }, side: { $case: 'left', value: 'it\\'s' } }",
    );
  });

  it('import contracts from where they are generated', () => {
    assert.match(clientSample(route('Echo').desc, { colour: 'COLOUR_RED' }, '@shop/contracts').source, /^import \{ LibraryDefinition, Colour \} from '@shop\/contracts\/library\/v1\/library';/);
    assert.match(clientSample(route('Watch').desc, {}, '@shop/contracts').source, /for await \(const response of client\.watch\(\{\}\)\)/);
    const { fullName, descriptor } = AuthServiceDefinition;
    const auth = readRoutes({ contract: fullName, service: 'service.auth', file: descriptor.file, descriptorSet: Buffer.from(descriptor.set, 'base64') });
    assert.match(clientSample(auth.routes[0]?.desc ?? assert.fail(), {}, '@shop/contracts').source, /from '@talaria\/contracts\/auth\/v1\/auth'/);
  });
});
