import assert from 'node:assert/strict';
import { test } from 'node:test';
import ts from 'typescript';
import { GeneratorError } from '../generator-error.ts';
import { readProto } from '../proto/proto-file.ts';
import { filesBelow, testTree } from '../testing/test-tree.ts';
import { serviceGenerator } from './generator.ts';

test('writes the contract and the app, after the names of the workspace', async () => {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'invoice' });
  const files = filesBelow(tree, 'apps/invoice-service');
  assert.deepEqual(JSON.parse(files.get('apps/invoice-service/package.json') ?? ''), {
    name: 'invoice-service',
    version: '0.1.0',
    private: true,
    description: 'keeps invoices',
    license: 'MIT',
    type: 'module',
    dependencies: { '@shop/contracts': '1.2.3', '@talaria/service': '0.1.0', '@talaria/storage': '0.3.0', '@talaria/testing': '0.1.0' },
    nx: { targets: { lint: {}, typecheck: {}, test: {}, build: {}, serve: {} } },
    talaria: { service: 'service.invoice', contracts: ['invoice.v1.InvoiceService'], serve: ['api-gateway', 'auth-service'] },
  });
  const main = files.get('apps/invoice-service/src/main.ts') ?? '';
  assert.ok(main.includes("from '@shop/contracts/invoice/v1/invoice'"), main);
  assert.ok(main.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('//')).length <= 15);
  const proto = readProto('x', tree.read('proto/invoice/v1/invoice.proto', 'utf8') ?? '');
  assert.deepEqual(
    proto.services[0]?.methods.map(({ name, idempotency, routes }) => [name, idempotency, ...routes.map(({ verb, path, body }) => `${verb} ${path} ${body}`)]),
    [
      ['CreateInvoice', undefined, 'post /invoices *'],
      ['GetInvoice', 'NO_SIDE_EFFECTS', 'get /invoices/{id} undefined'],
      ['ListInvoices', 'NO_SIDE_EFFECTS', 'get /invoices undefined'],
      ['UpdateInvoice', 'IDEMPOTENT', 'patch /invoices/{invoice.id} invoice'],
      ['DeleteInvoice', 'IDEMPOTENT', 'delete /invoices/{id} undefined'],
    ],
  );
});

test('an internal service has neither routes nor rules of access', async () => {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'person', plural: 'people', public: false });
  const proto = tree.read('proto/person/v1/person.proto', 'utf8') ?? '';
  assert.ok(proto.includes('rpc ListPeople(ListPeopleRequest)'));
  for (const word of ['google.api.http', 'access', 'annotations', 'options.proto']) assert.ok(!proto.includes(word), word);
  assert.deepEqual(JSON.parse(tree.read('apps/person-service/package.json', 'utf8') ?? '').talaria.serve, ['auth-service']);
});

test('names of several words stand in the form that each place wants, and all code can be read', async () => {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'bank-statement' });
  const proto = tree.read('proto/bank_statement/v1/bank_statement.proto', 'utf8') ?? '';
  for (const text of ['package bank_statement.v1;', 'service BankStatementService {', '"/bank-statements/{bank_statement.id}"', 'scopes: ["bank-statements:read"]', 'repeated BankStatement bank_statements = 1;']) {
    assert.ok(proto.includes(text), text);
  }
  for (const [file, text] of [...filesBelow(tree, 'apps/bank-statement-service')].filter(([file]) => file.endsWith('.ts'))) {
    const { diagnostics } = ts.transpileModule(text, { reportDiagnostics: true, compilerOptions: { target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.ESNext } });
    assert.deepEqual(diagnostics?.map(({ messageText }) => messageText), [], file);
    assert.ok(!text.includes('undefined}') && !text.includes('[object'), file);
  }
});

const REFUSED: readonly (readonly [Parameters<typeof serviceGenerator>[1], RegExp])[] = [
  [{ name: 'account' }, /The project account-service is there already|apps\/account-service is there already/],
  [{ name: 'webhook' }, /The proto package webhook\.v1 is taken by webhook\.v1\.WebhookService/],
  [{ name: 'voucher', plural: 'accounts' }, /POST \/accounts is a route of account\.v1\.AccountService already/],
  [{ name: 'doc' }, /POST \/docs is the platform's/],
  [{ name: 'invoice-service' }, /Leave out "-service": "invoice" becomes/],
  [{ name: 'Invoice' }, /"Invoice" is no name for a service: .* such as invoice\./],
  [{ name: 'bank_statement' }, /such as bank-statement\./],
  [{ name: 'BankStatement' }, /such as bank-statement\./],
  [{ name: '../evil' }, /such as evil\./],
  [{ name: 'a b' }, /such as a-b\./],
  [{ name: '' }, /such as invoice\./],
  [{ name: '1st' }, /such as st\./],
  [{ name: 'é' }, /such as invoice\./],
  [{ name: 'x'.repeat(37) }, /too long/],
  [{ name: 'class' }, /"class" is taken by the platform, by protobuf or by TypeScript/],
  [{ name: 'constructor' }, /"constructor" is taken by the platform/],
  [{ name: 'to-string' }, /"to-string" is taken by the platform/],
  [{ name: 'talaria' }, /is taken by the platform/],
  [{ name: 'auth' }, /is taken by the platform/],
  [{ name: 'tables' }, /"tables" is taken by the platform/],
  [{ name: 'invoice', plural: 'class' }, /"class" is taken .*: choose another plural with --plural, such as invoice-records\./],
  [{ name: 'invoice', plural: 'next-page-token' }, /"next-page-token" is taken/],
  [{ name: 'invoice', plural: 'In voices' }, /"In voices" is no name for a plural/],
];

for (const [options, why] of REFUSED) {
  test(`refuses ${JSON.stringify(options)}, and writes nothing`, async () => {
    const tree = testTree();
    const before = tree.listChanges().map(({ path }) => path);
    await assert.rejects(serviceGenerator(tree, options), (error: unknown) => error instanceof GeneratorError && why.test(error.message));
    assert.deepEqual(tree.listChanges().map(({ path }) => path), before);
  });
}

test('refuses what would prefix another contract, and where there is no workspace', async () => {
  const tree = testTree();
  tree.write('proto/other/v1/other.proto', 'syntax = "proto3";\npackage invoice.v1.old;\nservice Old {}\n');
  await assert.rejects(serviceGenerator(tree, { name: 'invoice' }), /The proto package invoice\.v1 is taken by invoice\.v1\.old\.Old/);
  tree.delete('libs/contracts/package.json');
  await assert.rejects(serviceGenerator(tree, { name: 'invoice' }), /this is no workspace of Talaria/);
});
