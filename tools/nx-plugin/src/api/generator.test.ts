import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tree } from '@nx/devkit';
import ts from 'typescript';
import { GeneratorError } from '../generator-error.ts';
import { methodGenerator } from '../method/generator.ts';
import { readProto } from '../proto/proto-file.ts';
import { serviceGenerator } from '../service/generator.ts';
import { filesBelow, testTree } from '../testing/test-tree.ts';
import { apiGenerator } from './generator.ts';

const PROTO = 'proto/invoice/api/v1/invoice_api.proto';

async function withInvoices(isPublic = true): Promise<Tree> {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'invoice', public: isPublic });
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/VoidInvoice' });
  return tree;
}

const routes = (tree: Tree): string[] =>
  readProto(PROTO, tree.read(PROTO, 'utf8') ?? '').services.flatMap(({ methods }) => methods.flatMap((method) => method.routes.map(({ verb, path, body }) => `${verb} ${path} ${body ?? ''}`.trim())));

test('an API in front of an internal service has the routes that the names of its methods give', async () => {
  const tree = await withInvoices(false);
  await apiGenerator(tree, { name: 'invoice' });
  assert.deepEqual(routes(tree), ['post /invoices *', 'get /invoices/{id}', 'get /invoices', 'patch /invoices/{invoice.id} invoice', 'delete /invoices/{id}', 'post /invoices/{id}:void *']);
  const text = tree.read(PROTO, 'utf8') ?? '';
  assert.equal(text.match(/scopes: \["invoices:write"\]/g)?.length, 4);
  assert.equal(text.match(/scopes: \["invoices:read"\]/g)?.length, 2);
});

test('one in front of a public service has them below another path, and its rules', async () => {
  const tree = await withInvoices();
  await apiGenerator(tree, { name: 'invoice' });
  assert.deepEqual(routes(tree), ['post /api/invoices *', 'get /api/invoices/{id}', 'get /api/invoices', 'patch /api/invoices/{invoice.id} invoice', 'delete /api/invoices/{id}', 'post /api/invoices/{id}:void *']);
  const other = await withInvoices();
  await apiGenerator(other, { name: 'invoice', path: '/v2/bills' });
  assert.ok(routes(other).includes('post /v2/bills/{id}:void *'));
});

test('the app passes each call on, and serve starts what it needs', async () => {
  const tree = await withInvoices();
  await apiGenerator(tree, { name: 'invoice' });
  const files = filesBelow(tree, 'apps/invoice-api');
  assert.deepEqual(JSON.parse(files.get('apps/invoice-api/package.json') ?? '').talaria, {
    service: 'api.invoice',
    contracts: ['invoice.api.v1.InvoiceApiService'],
    serve: ['api-gateway', 'auth-service', 'invoice-service'],
  });
  assert.ok(files.get('apps/invoice-api/src/handlers/invoice-api-handlers.ts')?.includes('    voidInvoice: (request) => invoices.voidInvoice(request),'));
  for (const [file, text] of files) if (file.endsWith('.ts')) assert.deepEqual(ts.transpileModule(text, { reportDiagnostics: true }).diagnostics, [], file);
});

test('methods are called as generated code calls them, also those with acronyms', async () => {
  const tree = await withInvoices();
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/GetPDFFile' });
  await apiGenerator(tree, { name: 'invoice' });
  assert.ok(tree.read('apps/invoice-api/src/handlers/invoice-api-handlers.ts', 'utf8')?.includes('    getPDFFile: (request) => invoices.getPDFFile(request),'));
  const tests = tree.read('apps/invoice-api/src/handlers/invoice-api-handlers.test.ts', 'utf8') ?? '';
  assert.ok(tests.includes('methods.getPDFFile') && tests.includes("'getPDFFile'") && !tests.includes('PdfFile'), tests);
});

test('its messages are its own, also where the service names its package', async () => {
  const tree = await withInvoices();
  const file = 'proto/invoice/v1/invoice.proto';
  tree.write(file, `${tree.read(file, 'utf8') ?? ''}\n// Of invoice.v1.Invoice.\nmessage Pair {\n  // One.\n  .invoice.v1.Invoice one = 1;\n  // Other.\n  invoice.v1.Invoice other = 2;\n}\n`);
  await apiGenerator(tree, { name: 'invoice' });
  const text = tree.read(PROTO, 'utf8') ?? '';
  assert.ok(text.includes('  .invoice.api.v1.Invoice one = 1;') && text.includes('  invoice.api.v1.Invoice other = 2;') && text.includes('// Of invoice.v1.Invoice.'));
});

const REFUSED: readonly (readonly [Parameters<typeof apiGenerator>[1], RegExp])[] = [
  [{ name: 'bill' }, /There is no contract bill\.v1\.BillService in proto\/: it has account\.v1\.AccountService/],
  [{ name: 'invoice', path: 'bills' }, /"bills" is no path for routes/],
  [{ name: 'invoice', path: '/accounts' }, /POST \/accounts is a route of account\.v1\.AccountService already/],
  [{ name: 'invoice', path: '/invoices' }, /POST \/invoices is a route of invoice\.v1\.InvoiceService already/],
  [{ name: 'invoice-api' }, /Leave out "-api"/],
  [{ name: 'webhook' }, /No app in apps\/ serves webhook\.v1\.WebhookService|apps\/webhook-api is there already/],
  [{ name: 'invoice', plural: 'class' }, /"class" is taken .*: choose another plural with --plural/],
  [{ name: 'invoice', plural: 'handlers' }, /"handlers" is taken/],
  [{ name: 'gateway' }, /is taken by the platform/],
];

for (const [options, why] of REFUSED) {
  test(`refuses ${JSON.stringify(options)}, and writes nothing`, async () => {
    const tree = await withInvoices();
    await assert.rejects(apiGenerator(tree, options), (error: unknown) => error instanceof GeneratorError && why.test(error.message));
    assert.ok(!tree.exists(PROTO) && !tree.exists('apps/invoice-api'));
  });
}

test('refuses to write it twice', async () => {
  const tree = await withInvoices();
  await apiGenerator(tree, { name: 'invoice' });
  await assert.rejects(apiGenerator(tree, { name: 'invoice' }), /apps\/invoice-api is there already/);
});
