import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, createFileRegistry, fromBinary, fromJson, setExtension, toBinary, type JsonObject } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, file_google_protobuf_duration, MethodDescriptorProtoSchema, MethodOptionsSchema, type MethodDescriptorProto } from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { publicRoutes } from '@talaria/http';
import { routesOf } from './routes.ts';

const CONTRACT = 'routes.v1.Routes';
const CLIENT = { clientStreaming: true };

/** What a method says, and the routes that come of it. */
interface Case {
  readonly http?: JsonObject;
  readonly access?: JsonObject;
  readonly streams?: { readonly clientStreaming?: boolean; readonly serverStreaming?: boolean };
  readonly routes: readonly string[];
}

const anyone = { anyone: {} };
const CASES: readonly Case[] = [
  { http: { get: '/things/{seconds}', additionalBindings: [{ post: '/things:find', body: '*' }, { delete: '/v1/{seconds=things/*}' }] }, access: anyone, routes: ['GET /things/{seconds}', 'POST /things:find', 'DELETE /v1/{seconds=things/*}'] },
  { http: { patch: '/mine' }, access: { principal: {} }, routes: ['PATCH /mine'] },
  { http: { get: '/watch' }, access: anyone, streams: { serverStreaming: true }, routes: ['GET /watch'] },
  // A method of HTTP is written in capitals, whatever the contract does.
  { http: { custom: { kind: 'report', path: '/things' } }, access: anyone, routes: ['REPORT /things'] },
  { http: { custom: { kind: 'm-search', path: '/things' } }, access: anyone, routes: ['M-SEARCH /things'] },
  { http: { custom: { kind: '*', path: '/any' } }, access: anyone, routes: ['* /any'] },
  // No customer may call these.
  { http: { get: '/unruled' }, routes: [] },
  { http: { get: '/services' }, access: { services: {} }, routes: [] },
  { access: anyone, routes: [] },
  { http: {}, access: anyone, routes: [] },
  // HTTP/JSON cannot.
  { http: { post: '/upload', body: '*' }, access: anyone, streams: CLIENT, routes: [] },
  { http: { post: '/chat', body: '*' }, access: anyone, streams: { ...CLIENT, serverStreaming: true }, routes: [] },
  // The gateway's own, and what only looks so.
  ...['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/{seconds}', '/docs/a/b:verb', '/{seconds=docs/*}', '/{seconds=healthz}'].map((path) => ({ http: { get: path }, access: anyone, routes: [] })),
  ...['/', '/{seconds}', '/healthz/x', '/docs:verb', '/documents', '/v1/docs'].map((path) => ({ http: { post: path }, access: anyone, routes: [`POST ${path}`] })),
  // One that is refused takes the others of its method along.
  { http: { get: '/fine', additionalBindings: [{ get: '/readyz' }] }, access: anyone, routes: [] },
  { http: { get: '/outer', additionalBindings: [{ get: '/inner', additionalBindings: [{ get: '/innermost' }] }] }, access: anyone, routes: ['GET /outer', 'GET /inner'] },
];

const annotations = fromBinary(FileDescriptorSetSchema, Buffer.from(AccountServiceDefinition.descriptor.set, 'base64')).file.filter(({ name }) => /^(google|talaria)\//.test(name));
const known = createFileRegistry(create(FileDescriptorSetSchema, { file: annotations }));

function methodOf({ http, access, streams }: Case, index: number): MethodDescriptorProto {
  const options = create(MethodOptionsSchema);
  for (const [name, value] of [['google.api.http', http], ['talaria.options.v1.access', access]] as const) {
    const extension = known.getExtension(name);
    if (extension?.message && value) setExtension(options, extension, fromJson(extension.message, value) as never);
  }
  return create(MethodDescriptorProtoSchema, { name: `M${index}`, inputType: '.google.protobuf.Duration', outputType: '.google.protobuf.Duration', options, ...streams });
}

function descriptorSetOf(cases: readonly Case[]): Uint8Array {
  const files = new Map([...annotations, file_google_protobuf_duration.proto].map((file) => [file.name, file]));
  const own = create(FileDescriptorProtoSchema, { name: 'routes/v1/routes.proto', package: 'routes.v1', syntax: 'proto3', dependency: [...files.keys()], service: [{ name: 'Routes', method: cases.map(methodOf) }] });
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...files.values(), own] }));
}

test('what is published as a route is what the gateway routes', () => {
  for (const one of CASES) {
    const descriptorSet = descriptorSetOf([one]);
    const published = routesOf(CONTRACT, createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet)));
    assert.deepEqual(published, one.routes, JSON.stringify(one));
    assert.deepEqual(publicRoutes({ contract: CONTRACT, service: 'service.routes', file: 'routes/v1/routes.proto', descriptorSet }), one.routes, `the gateway: ${JSON.stringify(one)}`);
  }
});
