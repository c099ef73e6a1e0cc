import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Tree } from '@nx/devkit';
import ts from 'typescript';
import { GeneratorError } from '../generator-error.ts';
import { serviceGenerator } from '../service/generator.ts';
import { filesBelow, testTree } from '../testing/test-tree.ts';
import { eventGenerator } from './generator.ts';

const APP = 'apps/invoice-service';
const read = (tree: Tree, file: string): string => tree.read(file, 'utf8') ?? '';

async function withServices(): Promise<Tree> {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'invoice' });
  await serviceGenerator(tree, { name: 'bank-statement' });
  return tree;
}

/** That all code can be read; what is imported and where it stands is for the compiler (tools/e2e). */
function checkCode(tree: Tree, folder: string): void {
  for (const [file, text] of filesBelow(tree, folder)) if (file.endsWith('.ts')) assert.deepEqual(ts.transpileModule(text, { reportDiagnostics: true }).diagnostics, [], file);
}

test('publishes in the transaction of the change, and subscribes', async () => {
  const tree = await withServices();
  await eventGenerator(tree, { type: 'invoice.created' });
  const main = read(tree, `${APP}/src/main.ts`);
  for (const line of [
    'const events = messaging({ storage: db });',
    "storage: db, messaging: events });",
    'invoiceHandlers(publishingStorage(invoiceStorage(db), db, events))',
    'subscribe(events, service.log);\nawait service.run();',
    "import { invoiceStorage, migrations, publishingStorage, type Tables } from './storage/index.ts';",
  ]) {
    assert.ok(main.includes(line), `${line}\n${main}`);
  }
  assert.ok(main.split('\n').filter((line) => line.trim() !== '').length <= 15, main);
  assert.ok(read(tree, `${APP}/src/logic/subscriptions.ts`).includes("events.subscribe('invoice.created', onInvoiceCreated(log));"));
  assert.equal(JSON.parse(read(tree, `${APP}/package.json`)).dependencies['@talaria/messaging'], '0.1.0');
  checkCode(tree, APP);
});

test('further events and subscribers join what is there', async () => {
  const tree = await withServices();
  for (const type of ['invoice.created', 'invoice.updated', 'invoice.deleted', 'invoice.paid']) await eventGenerator(tree, { type });
  await eventGenerator(tree, { type: 'invoice.created', subscriber: 'bank-statement-service' });
  await eventGenerator(tree, { type: 'bank_statement.created', subscriber: 'invoice-service' });
  const main = read(tree, `${APP}/src/main.ts`);
  assert.equal(main.match(/subscribe\(events/g)?.length, 1);
  assert.equal(main.match(/messaging\(/g)?.length, 1);
  const storage = read(tree, `${APP}/src/storage/publishing-storage.ts`);
  for (const name of ['publishInvoiceCreated(events, changed)', 'if (changed) await publishInvoiceUpdated(events, changed)', 'publishInvoiceDeleted(events, found)']) assert.ok(storage.includes(name), name);
  assert.ok(!storage.includes('Paid'), 'nothing in the storage says what paying is');
  assert.equal(read(tree, `${APP}/src/logic/subscriptions.ts`).match(/events\.subscribe\(/g)?.length, 5);
  assert.ok(!tree.exists('apps/bank-statement-service/src/logic/invoice-created.ts'), 'only one publishes it');
  checkCode(tree, APP);
  checkCode(tree, 'apps/bank-statement-service');
});

test('an event of a message with an acronym names it as the contract does', async () => {
  const tree = await withServices();
  const proto = 'proto/invoice/v1/invoice.proto';
  tree.write(proto, `${read(tree, proto)}\n// A file.\nmessage PDFFile {\n  // Its id.\n  string id = 1;\n}\n`);
  await eventGenerator(tree, { type: 'pdf_file.sent', project: 'invoice-service' });
  assert.ok(read(tree, `${APP}/src/logic/pdf-file-sent.ts`).includes('publishPdfFileSent(events: Pick<Messaging, \'publish\'>, about: PDFFile)'));
});

test('leaves a storage alone that is not as expected', async () => {
  const tree = await withServices();
  const file = `${APP}/src/storage/invoice-storage.ts`;
  tree.write(file, read(tree, file).replace('}): Promise<Invoice>;', '}): Promise<string>;'));
  await eventGenerator(tree, { type: 'invoice.created' });
  assert.ok(!tree.exists(`${APP}/src/storage/publishing-storage.ts`));
  assert.ok(tree.exists(`${APP}/src/logic/invoice-created.ts`));
});

test('adds to a main file that makes several things at once', async () => {
  const tree = testTree();
  for (const file of ['package.json', 'src/main.ts']) tree.write(`apps/webhook-service/${file}`, readFileSync(join(import.meta.dirname, '../../../../apps/webhook-service', file), 'utf8'));
  await eventGenerator(tree, { type: 'webhook.created' });
  const main = read(tree, 'apps/webhook-service/src/main.ts');
  assert.equal(main.match(/messaging\(/g)?.length, 1);
  assert.ok(main.includes('subscribe(events, service.log);'), main);
});

test("an example app's main stays as short as it has to be", async () => {
  const tree = await withServices();
  const app = join(import.meta.dirname, '../../../../apps/account-service');
  for (const file of ['src/main.ts', 'src/storage/index.ts', 'src/storage/account-storage.ts']) tree.write(`apps/account-service/${file}`, readFileSync(join(app, file), 'utf8'));
  await eventGenerator(tree, { type: 'account.created' });
  const main = read(tree, 'apps/account-service/src/main.ts');
  assert.ok(main.includes("import { accountStorage, migrations, publishingStorage, type Tables } from './storage/index.ts';"), main);
  assert.ok(main.split('\n').filter((line) => line.trim() !== '').length <= 15, main);
});

const REFUSED: readonly (readonly [Parameters<typeof eventGenerator>[1], RegExp])[] = [
  [{ type: 'created' }, /"created" is no type of event/],
  [{ type: 'Invoice.Created' }, /is no type of event/],
  [{ type: 'invoice-created' }, /is no type of event/],
  [{ type: 'bill.created' }, /There is no app bill-service: apps\/ has account-service, bank-statement-service, invoice-service, webhook-api/],
  [{ type: 'bill.created', project: 'invoice-service' }, /The contracts of invoice-service have no message Bill, .* \(invoice\)/],
  [{ type: 'invoice.created', subscriber: 'nobody' }, /There is no app nobody/],
  [{ type: 'invoice.created', subscriber: 'webhook-api' }, /apps\/webhook-api\/src\/main\.ts keeps nothing in a database/],
];

for (const [options, why] of REFUSED) {
  test(`refuses ${JSON.stringify(options)}`, async () => {
    await assert.rejects(eventGenerator(await withServices(), options), (error: unknown) => error instanceof GeneratorError && why.test(error.message));
  });
}

test('refuses what is there already', async () => {
  const tree = await withServices();
  await eventGenerator(tree, { type: 'invoice.created' });
  await assert.rejects(eventGenerator(tree, { type: 'invoice.created' }), /invoice\.created is published already, in apps\/invoice-service\/src\/logic\/invoice-created\.ts: name who else is to hear of it by --subscriber/);
  await assert.rejects(eventGenerator(tree, { type: 'invoice.created', subscriber: 'invoice-service' }), /invoice-service subscribes to invoice\.created already/);
  const other = await withServices();
  other.write(`${APP}/src/logic/invoice-paid.ts`, 'export {};\n');
  await assert.rejects(eventGenerator(other, { type: 'invoice.paid' }), /invoice-paid\.ts is there already/);
});
