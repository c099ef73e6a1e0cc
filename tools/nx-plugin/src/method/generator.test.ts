import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tree } from '@nx/devkit';
import ts from 'typescript';
import { GeneratorError } from '../generator-error.ts';
import { serviceGenerator } from '../service/generator.ts';
import { testTree } from '../testing/test-tree.ts';
import { methodGenerator } from './generator.ts';

const PROTO = 'proto/invoice/v1/invoice.proto';
const HANDLERS = 'apps/invoice-service/src/handlers/invoice-handlers.ts';
const TESTS = 'apps/invoice-service/src/handlers/invoice-handlers.test.ts';

const read = (tree: Tree, file: string): string => tree.read(file, 'utf8') ?? '';

async function withInvoices(isPublic = true): Promise<Tree> {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'invoice', public: isPublic });
  return tree;
}

/** What was added, line by line. */
function added(before: string, after: string): string {
  const there = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !there.has(line)).join('\n');
}

test('adds the method to the contract, the handlers and the tests, and keeps everything else', async () => {
  const tree = await withInvoices();
  const [proto, handlers, tests] = [PROTO, HANDLERS, TESTS].map((file) => read(tree, file));
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/VoidInvoice' });
  assert.equal(
    added(proto ?? '', read(tree, PROTO)),
    `  // Void one invoice.
  rpc VoidInvoice(VoidInvoiceRequest) returns (VoidInvoiceResponse) {
      post: "/invoices/{id}:void"
// The invoice to void.
message VoidInvoiceRequest {
message VoidInvoiceResponse {`,
  );
  assert.equal(
    added(handlers ?? '', read(tree, HANDLERS)),
    `import { notFound, principal, unimplemented, type ServiceError, type ServiceImplementation } from '@talaria/service';
    async voidInvoice() {
      throw unimplemented('void_invoice', 'VoidInvoice is not implemented yet.');`,
  );
  assert.ok(read(tree, TESTS).startsWith((tests ?? '').slice(0, 200)));
  assert.ok(read(tree, TESTS).includes("import { call, createPlatform } from '@talaria/testing';"));
  for (const file of [HANDLERS, TESTS]) assert.deepEqual(ts.transpileModule(read(tree, file), { reportDiagnostics: true }).diagnostics, []);
  await methodGenerator(tree, { method: '/invoice.v1.InvoiceService/ExportInvoices' });
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/GetInvoiceTotal' });
  assert.match(read(tree, PROTO), /rpc ExportInvoices\([^}]*post: "\/invoices:export"/);
  assert.match(read(tree, PROTO), /rpc GetInvoiceTotal\([^]*idempotency_level = NO_SIDE_EFFECTS;\s+option \(google.api.http\) = \{get: "\/invoices:getInvoiceTotal"\};[^]*scopes: \["invoices:read"\]/);
});

test('acronyms stay as they are in the contract and in code', async () => {
  const tree = await withInvoices();
  tree.write(PROTO, `${read(tree, PROTO)}\n// A file.\nmessage PDFFile {}\n`);
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/ArchivePDFFile' });
  assert.match(read(tree, PROTO), /rpc ArchivePDFFile\([^]*post: "\/invoices\/\{id\}:archive"[^]*\n {2}PDFFile pdf_file = 1;/);
  assert.match(read(tree, HANDLERS), /async archivePDFFile\(\) \{\s+throw unimplemented\('archive_pdf_file', 'ArchivePDFFile is/);
  assert.match(read(tree, TESTS), /implementation\.archivePDFFile, \{ id: 'pdf_file_1' \}, \{ method: InvoiceServiceDefinition\.methods\.archivePDFFile,/);
});

test('a method whose name is a word of the language can be tested, too', async () => {
  const tree = await withInvoices();
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/Delete' });
  assert.deepEqual(ts.transpileModule(read(tree, TESTS), { reportDiagnostics: true }).diagnostics, []);
});

test('a method of an internal contract has neither route nor rule', async () => {
  const tree = await withInvoices(false);
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/VoidInvoice' });
  assert.match(read(tree, PROTO), /rpc VoidInvoice\(VoidInvoiceRequest\) returns \(VoidInvoiceResponse\);\n\}/);
});

test('finds handlers however they are written, and refuses what it cannot add to', async () => {
  const contract = "import { type ServiceImplementation } from '@talaria/service';\n";
  const written = {
    arrow: `${contract}export const make = (): ServiceImplementation<InvoiceServiceDefinition> => ({ getInvoice: () => ({}) });\n`,
    constant: `${contract}export const all: ServiceImplementation<typeof InvoiceServiceDefinition> = {};\n`,
    trailing: `${contract}export function make(a: string, b: string): ServiceImplementation<InvoiceServiceDefinition> {\n  const x = 1;\n  return {\n    // first\n    getInvoice,\n    // last\n  };\n}\n`,
  };
  for (const [how, text] of Object.entries(written)) {
    const tree = await withInvoices();
    tree.write(HANDLERS, text);
    await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/VoidInvoice' });
    const now = read(tree, HANDLERS);
    assert.deepEqual(ts.transpileModule(now, { reportDiagnostics: true }).diagnostics, [], now);
    assert.match(now, /async voidInvoice\(\) \{\s+throw unimplemented/, how);
  }
  const tree = await withInvoices();
  tree.write(HANDLERS, 'export class Handlers implements InvoiceServiceImplementation {}\n');
  await assert.rejects(methodGenerator(tree, { method: 'invoice.v1.InvoiceService/VoidInvoice' }), /No file in apps\/invoice-service\/src answers an object of the type ServiceImplementation<InvoiceServiceDefinition>/);
});

test('braces and slashes in comments and strings mislead nobody', async () => {
  const tree = await withInvoices();
  const tricky = read(tree, PROTO)
    .replace('service InvoiceService {', '/* } service Other { */\nservice InvoiceService {\n  // } rpc VoidInvoice(')
    .replace('// What to change.', '// "What { to change.');
  tree.write(PROTO, tricky);
  await methodGenerator(tree, { method: 'invoice.v1.InvoiceService/VoidInvoice' });
  const [, service = ''] = /\nservice InvoiceService \{\n([^]*?\n)\}\n/.exec(read(tree, PROTO)) ?? [];
  assert.ok(service.includes('  rpc VoidInvoice(VoidInvoiceRequest)'));
});

const REFUSED = {
  'VoidInvoice': /"VoidInvoice" names no method: contract and method with a slash between them/,
  'invoice.v1.InvoiceService/voidInvoice': /"voidInvoice" is no name for a method/,
  'invoice.v1.InvoiceService/': /"" is no name for a method/,
  'invoice.v1.InvoiceService/Void_Invoice': /is no name for a method/,
  'invoice.v1.InvoiceService/GetInvoice': /invoice\.v1\.InvoiceService has a method GetInvoice already/,
  'invoice.v1.InvoiceService/GetinVoice': /has a method GetInvoice already, which differs only in capital letters/,
  'bill.v1.BillService/VoidBill': /There is no contract bill\.v1\.BillService in proto\/: it has account\.v1\.AccountService, invoice\.v1\.InvoiceService, webhook\./,
  'webhook.v1.WebhookService/PauseWebhook': /No app in apps\/ serves webhook\.v1\.WebhookService: name it in talaria\.contracts/,
};

for (const [method, why] of Object.entries(REFUSED)) {
  test(`refuses ${method}, and writes nothing`, async () => {
    const tree = await withInvoices();
    const before = read(tree, PROTO) + read(tree, HANDLERS) + read(tree, TESTS);
    await assert.rejects(methodGenerator(tree, { method }), (error: unknown) => error instanceof GeneratorError && why.test(error.message));
    assert.equal(read(tree, PROTO) + read(tree, HANDLERS) + read(tree, TESTS), before);
  });
}

test('refuses messages, handlers and routes that are there already', async () => {
  const method = 'invoice.v1.InvoiceService/VoidInvoice';
  const message = await withInvoices();
  message.write(PROTO, `${read(message, PROTO)}\nmessage VoidInvoiceResponse {}\n`);
  await assert.rejects(methodGenerator(message, { method }), /invoice\.v1 has a message VoidInvoiceResponse already/);
  const handler = await withInvoices();
  handler.write(HANDLERS, read(handler, HANDLERS).replace('async getInvoice(', 'async voidInvoice() {},\n    async getInvoice('));
  await assert.rejects(methodGenerator(handler, { method }), /have a method voidInvoice that the contract has not/);
  const route = await withInvoices();
  route.write(PROTO, read(route, PROTO).replace('get: "/invoices/{id}"', 'post: "/invoices/{name}:void"'));
  await assert.rejects(methodGenerator(route, { method }), /POST \/invoices\/\{id\}:void is a route of this contract already/);
});
