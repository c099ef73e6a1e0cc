import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type Message } from '@bufbuild/protobuf';
import { operationsOf, schemaCompiler, type Described } from '../testing/described.ts';
import { everythingFrom, emptyMessage, startLibrary, type Library } from '../testing/library.ts';
import { schemaValues, seeded } from '../testing/schema-values.ts';
import { type Json, type JsonObject, type OpenApiDocument, type Schema } from './types.ts';

const ROUNDS = 10;

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly type?: string;
  readonly body?: string;
  readonly token: boolean;
}

/** fetch knows no REPORT with all that Node's client allows. */
async function send(library: Library, { method, target, type, body, token }: Sent): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  const headers = { ...(type === undefined ? {} : { 'content-type': type }), ...(token ? { authorization: 'Bearer good' } : {}), ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) };
  const sending = httpRequest(`${library.url}${target}`, { method, headers }).end(body);
  const [response] = (await once(sending, 'response')) as [import('node:http').IncomingMessage];
  return { status: response.statusCode ?? 0, type: String(response.headers['content-type']), body: await text(response) };
}

const encode = (value: Json): string => encodeURIComponent(String(value));
const pairs = (name: string, value: Json): readonly string[] => (Array.isArray(value) ? value : [value]).map((one: Json) => `${encode(name)}=${encode(one)}`);

describe('what the document says', () => {
  let library: Library;
  let document: OpenApiDocument;
  let values: (schema: Schema) => Json;
  const random = seeded(7);

  before(async () => {
    library = await startLibrary();
    library.answer('watch', async function* (request): AsyncGenerator<Message> {
      yield request;
      yield everythingFrom({ small: 2 });
    });
    library.answer('askRuled', () => emptyMessage());
    document = (await (await library.fetch('/openapi.json')).json()) as OpenApiDocument;
    values = schemaValues((document.components['schemas'] ?? {}) as Readonly<Record<string, Schema>>, random);
  });
  after(() => library.close());

  /** A request that the document allows, in one of the types that a body may have. */
  const requestFor = ({ method, path, operation }: Described, type: string | undefined): Sent => {
    const parameters = (operation.parameters ?? []).filter(({ required }) => required || random() < 0.5);
    // Members of a oneof exclude each other, which OpenAPI cannot say of parameters.
    const taken = parameters.filter(({ name }) => name !== 'right' || !parameters.some((other) => other.name === 'left'));
    const target = path.replaceAll(/\{([^}]*)\}/g, (_, name: string) => encode(values(taken.find((one) => one.in === 'path' && one.name === name)?.schema ?? {})));
    const query = taken.filter((one) => one.in === 'query').flatMap(({ name, schema }) => pairs(name, values(schema)));
    const content = (operation.requestBody?.['content'] ?? {}) as Readonly<Record<string, JsonObject>>;
    const schema = type === undefined ? undefined : (content[type]?.['schema'] as Schema | undefined);
    const sent = schema === undefined ? undefined : values(schema);
    const form = (json: Json): string => Object.entries(json as JsonObject).filter(([name]) => name !== 'right').flatMap(([name, value]) => pairs(name, value)).join('&');
    return {
      method,
      target: `${target}${query.length > 0 ? `?${query.join('&')}` : ''}`,
      token: (operation.security ?? []).some((one) => 'bearer' in one),
      ...(sent === undefined || type === undefined ? {} : { type, body: type === 'application/json' ? JSON.stringify(sent) : form(sent) }),
    };
  };

  it('is what the gateway takes, and answers', async () => {
    const compile = schemaCompiler(document, true);
    const called = operationsOf(document).filter(({ path }) => !['/docs', '/readyz'].includes(path));
    for (const one of called) {
      const types = Object.keys((one.operation.requestBody?.['content'] ?? {}) as JsonObject);
      const [answerType = '', answered] = Object.entries(((one.operation.responses['200'] ?? {})['content'] ?? {}) as Readonly<Record<string, JsonObject>>)[0] ?? [];
      const validate = compile((answered?.['schema'] ?? {}) as Schema);
      for (let round = 0; round < ROUNDS; round++) {
        const sent = requestFor(one, types[round % Math.max(types.length, 1)]);
        const got = await send(library, sent);
        const what = `${JSON.stringify(sent)} ${got.body}`;
        assert.equal(got.status, 200, what);
        assert.equal(got.type, answerType, what);
        for (const json of answerType === 'application/x-ndjson' ? got.body.trim().split('\n') : [got.body]) assert.ok(validate(JSON.parse(json)), `${what} ${JSON.stringify(validate.errors)}`);
      }
    }
    assert.ok(called.length > 15);
  });

  it('is what the gateway refuses, and how', async () => {
    const compile = schemaCompiler(document, true);
    const problem = (id: string, status: string): ReturnType<typeof compile> => {
      const responses = operationsOf(document).find(({ operation }) => operation.operationId === id)?.operation.responses ?? {};
      const { $ref: ref } = (responses[status] ?? responses['default'] ?? {}) as { readonly $ref: string };
      const response = (document.components['responses'] as Readonly<Record<string, JsonObject>>)[ref.replace('#/components/responses/', '')] ?? {};
      return compile((Object.values(response['content'] as Readonly<Record<string, JsonObject>>)[0]?.['schema'] ?? {}) as Schema);
    };
    const cases: [string, Sent, number][] = [
      ['library.v1.Library.Echo', { method: 'POST', target: '/everything', type: 'application/json', body: '{"nothing": 1, "small": "x"}', token: false }, 400],
      ['library.v1.Library.Echo', { method: 'POST', target: '/everything', type: 'text/plain', body: 'x', token: false }, 415],
      ['library.v1.Library.Echo', { method: 'POST', target: '/everything', type: 'application/json', body: `{"id": "${'x'.repeat(2 ** 20)}"}`, token: false }, 413],
      ['library.v1.Library.Mine', { method: 'GET', target: '/mine', token: false }, 401],
      ['library.v1.Library.Token', { method: 'POST', target: '/oauth2/library', type: 'application/json', body: '{}', token: false }, 400],
    ];
    for (const [id, sent, status] of cases) {
      const got = await send(library, sent);
      assert.equal(got.status, status, got.body);
      const validate = problem(id, String(status));
      assert.ok(validate(JSON.parse(got.body)), `${got.body} ${JSON.stringify(validate.errors)}`);
    }
  });

  it('allows the masks that the gateway takes: of no field, of some, and of all', async () => {
    const compile = schemaCompiler(document, false);
    const everything = (document.components['schemas'] as Readonly<Record<string, Schema>>)['library.v1.Everything'] ?? {};
    const allowed = compile((everything['properties'] as Readonly<Record<string, Schema>>)['mask'] ?? {});
    for (const mask of ['', 'small', 'small,shelf.theme', '*']) {
      const body = JSON.stringify({ mask });
      const got = await send(library, { method: 'POST', target: '/everything', type: 'application/json', body, token: false });
      assert.equal(got.status, 200, `${body} ${got.body}`);
      assert.ok(allowed(mask), body);
    }
    assert.ok(!allowed('*,small') && !allowed('small,'));
  });

  it('gives each method samples, and examples that its own schemas allow', async () => {
    const compile = schemaCompiler(document, false);
    const withSamples = operationsOf(document).filter(({ operation }) => operation['x-codeSamples']);
    for (const { operation } of withSamples) {
      for (const { schema, example, name } of operation.parameters ?? []) if (example !== undefined) assert.ok(compile(schema)(example), `${operation.operationId} ${name} ${JSON.stringify(example)}`);
      const content = (operation.requestBody?.['content'] ?? {}) as Readonly<Record<string, JsonObject>>;
      for (const { schema, example } of Object.values(content)) if (example !== undefined) assert.ok(compile(schema as Schema)(example), `${operation.operationId} ${JSON.stringify(example)}`);
      assert.deepEqual(operation['x-codeSamples']?.map(({ label }) => label), ['curl', 'buf curl', 'TypeScript']);
    }
    for (const [name, response] of Object.entries(document.components['responses'] ?? {})) {
      for (const { schema, example } of Object.values((response as JsonObject)['content'] as Readonly<Record<string, JsonObject>>)) assert.ok(compile(schema as Schema)(example), name);
    }
    // All methods of the contract, the custom one too.
    assert.equal(withSamples.length, operationsOf(document).filter(({ operation }) => !operation.tags.includes('gateway')).length);
  });
});
