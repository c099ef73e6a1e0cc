import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { WebhookApiServiceDefinition } from '@talaria/contracts/webhook/api/v1/webhook_api';
import { assertValid, operationsOf } from '../testing/described.ts';
import { libraryContract } from '../testing/library-contract.ts';
import { readRoutes, type ContractSource } from '../transcode/routes.ts';
import { openApiDocument, type DescribedContract } from './document.ts';
import { type JsonObject, type OpenApiDocument, type Operation } from './types.ts';

const sourceOf = ({ fullName, descriptor }: { readonly fullName: string; readonly descriptor: { readonly file: string; readonly set: string } }): ContractSource => ({
  contract: fullName,
  service: 'service.some',
  file: descriptor.file,
  descriptorSet: Buffer.from(descriptor.set, 'base64'),
});
const described = (source: ContractSource): DescribedContract => ({ contract: source.contract, routes: readRoutes(source).routes });
const apps = [AccountServiceDefinition, AuthServiceDefinition, TransactionServiceDefinition, WebhookApiServiceDefinition].map((definition) => described(sourceOf(definition)));
const library = described(libraryContract);

function operation(document: OpenApiDocument, id: string): Operation {
  const found = operationsOf(document).find((one) => one.operation.operationId === id);
  assert.ok(found, id);
  return found.operation;
}
const bodyOf = ({ requestBody }: Operation, type = 'application/json'): JsonObject | undefined => ((requestBody?.['content'] as JsonObject | undefined)?.[type] as JsonObject | undefined)?.['schema'] as JsonObject | undefined;

describe('openApiDocument', () => {
  it('is valid OpenAPI 3.1, for the contracts of the apps, the hardest contract, all of them, and none', async () => {
    for (const contracts of [apps, [library], [...apps, library], []]) await assertValid(openApiDocument(contracts));
  });

  it('is the same for the same contracts in any order, and another for others', () => {
    const text = (contracts: readonly DescribedContract[]): string => JSON.stringify(openApiDocument(contracts));
    assert.equal(text([...apps, library]), text([library, ...apps.toReversed()]));
    assert.notEqual(openApiDocument(apps).info['version'], openApiDocument([library]).info['version']);
  });

  it('says what a method does, who may call it, and what it takes', () => {
    const document = openApiDocument(apps);
    const create = operation(document, 'account.v1.AccountService.CreateAccount');
    assert.equal(create.summary, 'Opens an account that belongs to the principal');
    assert.deepEqual(create.tags, ['account.v1.AccountService']);
    assert.deepEqual(create.security, [{ oauth2: ['accounts:write'] }, { bearer: [] }]);
    assert.deepEqual(Object.keys(create.responses), ['200', '400', '401', '403', '413', '415', '500', '503', '504', 'default']);
    assert.deepEqual(bodyOf(create), { $ref: '#/components/schemas/account.v1.CreateAccountRequest' });
    const request = document.components['schemas']?.['account.v1.CreateAccountRequest'] as JsonObject;
    assert.deepEqual(request['required'], ['description']);
    assert.deepEqual(request['additionalProperties'], false);
    assert.deepEqual((request['properties'] as JsonObject)['description'], { type: 'string', minLength: 1, maxLength: 200, description: 'What its owner calls it.' });
    const flows = (document.components['securitySchemes']?.['oauth2'] as JsonObject)['flows'] as JsonObject;
    assert.deepEqual(Object.keys((flows['clientCredentials'] as JsonObject)['scopes'] as JsonObject), ['accounts:read', 'accounts:write', 'transactions:read', 'transactions:write', 'webhooks:read', 'webhooks:write']);
    assert.deepEqual(document.tags[0], { name: 'account.v1.AccountService', description: 'Keeps bank accounts. Every method sees only the accounts of the principal it is called for.' });
  });

  it('describes tokens after RFC 6749', () => {
    const issue = operation(openApiDocument(apps), 'auth.v1.AuthService.IssueToken');
    assert.deepEqual(Object.keys((issue.requestBody?.['content'] ?? {}) as JsonObject), ['application/x-www-form-urlencoded']);
    assert.deepEqual([issue.security, Object.keys(issue.responses)], [[{ client: [] }, {}], ['200', '400', '401', 'default']]);
  });

  it('writes templates as paths of single segments, and all bindings', () => {
    const document = openApiDocument([library]);
    assert.ok('/v1/things/{id.2}/parts/{id.4}' in document.paths);
    assert.equal(operation(document, 'library.v1.Library.Look_2').parameters?.[0]?.name, 'id.2');
    assert.ok('/everything/{id}:close' in document.paths);
    assert.equal((document.paths['/everything']?.['x-additionalOperations'] as Record<string, Operation>)['REPORT']?.operationId, 'library.v1.Library.Report');
    const put = operation(document, 'library.v1.Library.PutShelf');
    assert.deepEqual(Object.keys((bodyOf(put) as JsonObject)['properties'] as JsonObject), ['theme', 'size', 'colour', 'inner', 'names']);
    assert.ok(!put.parameters?.some(({ name }) => name.startsWith('shelf.') && name !== 'shelf.id'));
    assert.deepEqual((put.responses['200']?.['content'] as JsonObject)['application/json'], { schema: { anyOf: [{ $ref: '#/components/schemas/library.v1.Shelf' }, { type: 'null' }] } });
    assert.ok('application/x-ndjson' in (operation(document, 'library.v1.Library.Watch').responses['200']?.['content'] as JsonObject));
    assert.deepEqual(Object.keys(document.paths).filter((path) => /upload|unruled|services|wrong/.test(path)), []);
  });

  it('describes for each method the route that the router takes: its own before one for any, wherever they stand', () => {
    const explicit = library.routes.find(({ pattern }) => pattern === '/shelves/{shelf.id}/everything');
    const any = library.routes.find(({ desc }) => desc.name === 'Mine');
    assert.ok(explicit && any);
    // Of a contract that comes first, with another name for the variable.
    const anything = { ...any, method: '*', contract: 'library.v1.Any', template: { ...explicit.template, variables: explicit.template.variables.map((one) => ({ ...one, name: 'id' })) } };
    const { paths } = openApiDocument([{ contract: 'library.v1.Any', routes: [anything] }, { contract: 'library.v1.Library', routes: [explicit] }]);
    const path = paths['/shelves/{shelf.id}/everything'];
    const ids = Object.entries(path ?? {}).map(([method, operation]) => [method, (operation as Operation).operationId]);
    assert.deepEqual(ids.sort(), [
      ['delete', 'library.v1.Library.Mine_delete'],
      ['get', 'library.v1.Library.Look'],
      ['patch', 'library.v1.Library.Mine_patch'],
      ['post', 'library.v1.Library.Mine_post'],
      ['put', 'library.v1.Library.Mine_put'],
    ]);
  });

  it('leaves out of a body what the path gives, and asks for what rules ask for', () => {
    const rule = operation(openApiDocument([library]), 'library.v1.Library.Rule');
    const body = bodyOf(rule) as JsonObject;
    const properties = body['properties'] as Record<string, JsonObject>;
    assert.equal(properties['id'], undefined);
    assert.deepEqual(body['required'], ['code', 'kind', 'size', 'big', 'tags', 'shelf', 'colour']);
    assert.deepEqual(properties['size'], { type: 'integer', format: 'int32', exclusiveMaximum: 100, minimum: 1 });
    assert.deepEqual([properties['amount']?.['exclusiveMinimum'], properties['amount']?.['maximum']], [-5, 5]);
    assert.equal(properties['big']?.['description'], 'Must be at least 9007199254740993.');
    assert.deepEqual([properties['tags']?.['minItems'], properties['tags']?.['maxItems']], [1, 3]);
    assert.deepEqual(properties['colour']?.['not'], { enum: ['COLOUR_UNSPECIFIED'] });
  });

  it('names comments, without what is for others, and only the answer has all fields', () => {
    const { components, tags } = openApiDocument([library]);
    assert.deepEqual(tags[0], { name: 'library.v1.Library', description: 'Keeps shelves.' });
    assert.equal(operation(openApiDocument([library]), 'library.v1.Library.Echo').description, 'Answers with what it is asked; says nothing else.');
    const shelf = components['schemas']?.['library.v1.Shelf'] as JsonObject;
    assert.deepEqual((shelf['properties'] as JsonObject)['id'], { type: 'string', description: 'Such as "shelf_1".\n\nNever changes.', examples: ['shelf_1'] });
    assert.deepEqual(shelf['required'], ['id', 'theme', 'size', 'colour', 'names']);
    assert.equal((components['schemas']?.['library.v1.Shelf-request'] as JsonObject)['required'], undefined);
    assert.equal((components['schemas']?.['library.v1.Colour'] as JsonObject)['description'], 'What it looks like.\n\n- `COLOUR_RED`: Like a tomato');
  });

  it('gives examples that mean something: what a mask names is there, and forms are flat', () => {
    const document = openApiDocument([library]);
    const example = (id: string, type: string): JsonObject => ((operation(document, id).requestBody?.['content'] as JsonObject)[type] as JsonObject)['example'] as JsonObject;
    assert.deepEqual(example('library.v1.Library.Echo', 'application/json'), {
      id: 'thing_1',
      colour: 'COLOUR_RED',
      shelf: { id: 'shelf_1', colour: 'COLOUR_RED', theme: 'Theme' },
      shelves: [{ id: 'shelf_1', colour: 'COLOUR_RED' }],
      mask: 'theme',
    });
    assert.deepEqual(example('library.v1.Library.Token', 'application/x-www-form-urlencoded'), { id: 'thing_1', colour: 'COLOUR_RED', 'shelf.id': 'shelf_1', 'shelf.theme': 'Theme', 'shelf.colour': 'COLOUR_RED', mask: 'theme' });
    assert.deepEqual(example('library.v1.Library.Rule', 'application/json'), { code: 'AAA-00', kind: 'big', size: 10, amount: 1, big: '9007199254740993', tags: ['Tags'], shelf: { id: 'shelf_1', colour: 'COLOUR_RED' }, colour: 'COLOUR_RED' });
  });

  it('keeps messages of one name apart where contracts differ', async () => {
    const { routes } = library;
    const other = readRoutes({ ...libraryContract, descriptorSet: libraryContract.descriptorSet }).routes.filter(({ desc }) => desc.name === 'Ping');
    const same = openApiDocument([library, { contract: 'library.v1.Other', routes: other }]);
    assert.ok(!Object.keys(same.components['schemas'] ?? {}).some((name) => name.includes('-in-')));
    // As if another service were built from an older file: its Empty still has a field.
    const older = other.map((route) => ({ ...route, desc: { ...route.desc, input: { ...route.desc.input, fields: routes[0]?.desc.input.fields.slice(0, 1) ?? [] } as typeof route.desc.input } }));
    const differing = openApiDocument([library, { contract: 'library.v1.Other', routes: older.map((route) => ({ ...route, contract: 'library.v1.Other', pattern: '/other', template: { segments: [{ literal: 'other' }], variables: [], verb: undefined } })) }]);
    const names = Object.keys(differing.components['schemas'] ?? {});
    assert.ok(names.includes('library.v1.Empty-request') && names.includes('library.v1.Empty-request-in-library.v1.Other'), names.join());
    assert.deepEqual(bodyOf(differing.paths['/other']?.['post'] as Operation), { $ref: '#/components/schemas/library.v1.Empty-request-in-library.v1.Other' });
  });
});
