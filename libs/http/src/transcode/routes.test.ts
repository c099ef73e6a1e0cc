import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { libraryContract } from '../testing/library-contract.ts';
import { publicRoutes, readRoutes } from './routes.ts';

test('routes come from the descriptors that are published', () => {
  const { descriptor } = TransactionServiceDefinition;
  const source = { contract: 'transaction.v1.TransactionService', service: 'service.transaction', file: descriptor.file, descriptorSet: Buffer.from(descriptor.set, 'base64') };
  assert.deepEqual(publicRoutes(source), ['POST /transactions', 'GET /transactions/{id}', 'GET /transactions']);
  assert.ok(readRoutes(source).routes.every(({ access }) => access === 'principal'));
});

test('every binding is a route, and what nobody may call is none', () => {
  const { routes, refused } = readRoutes(libraryContract);
  const patterns = routes.map(({ method, pattern }) => `${method} ${pattern}`);
  assert.ok(patterns.includes('GET /v1/{id=things/*/parts/**}') && patterns.includes('REPORT /everything'));
  assert.deepEqual(refused.map(({ method }) => method), ['Upload', 'Unruled', 'Services', 'Wrong', 'ShelveDocs']);
  assert.ok(!patterns.some((pattern) => /unruled|services|upload|wrong/.test(pattern)));
});

test('a contract that its descriptors do not declare is an error', () => {
  assert.throws(() => readRoutes({ ...libraryContract, contract: 'library.v1.Absent' }), /library\.v1\.Absent/);
});
