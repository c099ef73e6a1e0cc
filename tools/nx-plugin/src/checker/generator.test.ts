import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tree } from '@nx/devkit';
import ts from 'typescript';
import { apiGenerator } from '../api/generator.ts';
import { eventGenerator } from '../event/generator.ts';
import { GeneratorError } from '../generator-error.ts';
import { serviceGenerator } from '../service/generator.ts';
import { filesBelow, testTree } from '../testing/test-tree.ts';
import { checkerGenerator } from './generator.ts';

const APP = 'apps/invoice-service';
const read = (tree: Tree, file: string): string => tree.read(file, 'utf8') ?? '';

async function withInvoices(): Promise<Tree> {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'invoice' });
  await apiGenerator(tree, { name: 'invoice' });
  return tree;
}

test('asks the tables of the service, and main knows it', async () => {
  const tree = await withInvoices();
  await checkerGenerator(tree, { name: 'backlog', project: 'invoice-service' });
  assert.ok(read(tree, `${APP}/src/logic/backlog-checker.ts`).includes("sql.table('invoices')"));
  assert.ok(read(tree, `${APP}/src/main.ts`).includes('storage: db, checkers: [backlogChecker(db)] });'));
  await checkerGenerator(tree, { name: 'exchange-rates', project: 'invoice-service', url: 'https://example.com/health', critical: true });
  const main = read(tree, `${APP}/src/main.ts`);
  assert.ok(main.includes('checkers: [backlogChecker(db)], capabilities: [exchangeRatesChecker()] });'), main);
  assert.ok(main.includes("import { backlogChecker, exchangeRatesChecker } from './logic/checkers.ts';"), main);
  assert.ok(read(tree, `${APP}/src/logic/exchange-rates-checker.ts`).includes("name: 'exchange-rates',\n        critical: true,"));
  assert.ok(JSON.parse(read(tree, `${APP}/package.json`)).dependencies['@talaria/http']);
  for (const [file, text] of filesBelow(tree, APP)) if (file.endsWith('.ts')) assert.deepEqual(ts.transpileModule(text, { reportDiagnostics: true }).diagnostics, [], file);
});

test('what asks over HTTP may reach no more than its URL says', async () => {
  const URLS = {
    'https://example.com/health': '{}',
    'https://93.184.216.34/': '{}',
    'https://10.example.com/': '{}',
    'http://localhost:8080/': '{ allowLoopback: true }',
    'http://127.0.0.1:8080/': '{ allowLoopback: true }',
    'http://[::1]/': '{ allowLoopback: true }',
    'http://10.1.2.3/': '{ allowPrivate: true }',
    'http://172.20.1.2/': '{ allowPrivate: true }',
    'http://[fd12::1]/': '{ allowPrivate: true }',
    'http://[2606:4700::1]/': '{}',
    'http://rates:8080/': '{ allowPrivate: true }',
    'http://rates.shop.svc.cluster.local/': '{ allowPrivate: true }',
  };
  const tree = await withInvoices();
  for (const [index, [url, options]] of Object.entries(URLS).entries()) {
    await checkerGenerator(tree, { name: `rates${index}`, project: 'invoice-api', url });
    const text = read(tree, `apps/invoice-api/src/logic/rates${index}-checker.ts`);
    assert.ok(text.includes(`options: HttpClientOptions = ${options}): Capability`), text);
    assert.ok(!text.includes('fetch('), text);
  }
});

test('main stays short with all that generators add', async () => {
  const tree = await withInvoices();
  await eventGenerator(tree, { type: 'invoice.created' });
  await checkerGenerator(tree, { name: 'backlog', project: 'invoice-service' });
  await checkerGenerator(tree, { name: 'rates', project: 'invoice-service', url: 'https://example.com/health' });
  const main = read(tree, `${APP}/src/main.ts`);
  assert.ok(main.split('\n').filter((line) => line.trim() !== '').length <= 15, main);
});

const REFUSED: readonly (readonly [Parameters<typeof checkerGenerator>[1], RegExp])[] = [
  [{ name: 'Rates', project: 'invoice-service' }, /"Rates" is no name for a checker/],
  [{ name: 'rates-checker', project: 'invoice-service' }, /Leave out "-checker"/],
  [{ name: 'postgres', project: 'invoice-service' }, /has a checker "postgres" already/],
  [{ name: 'rates', project: 'nobody' }, /There is no app nobody/],
  [{ name: 'rates', project: 'invoice-api' }, /invoice-api keeps nothing in a database: say with --url/],
  [{ name: 'rates', project: 'invoice-api', url: 'example.com' }, /is nothing to ask/],
  [{ name: 'rates', project: 'invoice-api', url: 'https://me:secret@example.com' }, /without credentials/],
  [{ name: 'rates', project: 'invoice-api', url: 'https://example.com/?\\n' }, /is nothing to ask/],
  [{ name: 'rates', project: 'invoice-api', url: 'file:///etc/passwd' }, /is nothing to ask/],
];

for (const [options, why] of REFUSED) {
  test(`refuses ${JSON.stringify(options)}`, async () => {
    await assert.rejects(checkerGenerator(await withInvoices(), options), (error: unknown) => error instanceof GeneratorError && why.test(error.message));
  });
}

test('refuses one that is there, and a main file that it cannot add to', async () => {
  const tree = await withInvoices();
  await checkerGenerator(tree, { name: 'backlog', project: 'invoice-service' });
  await assert.rejects(checkerGenerator(tree, { name: 'backlog', project: 'invoice-service' }), /backlog-checker\.ts is there already/);
  tree.write(`${APP}/src/main.ts`, read(tree, `${APP}/src/main.ts`).replace('checkers: [backlogChecker(db)]', 'checkers: all'));
  await assert.rejects(checkerGenerator(tree, { name: 'other', project: 'invoice-service' }), /whose checkers are a list/);
});
