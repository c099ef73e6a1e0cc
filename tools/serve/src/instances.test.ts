import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instanceCounts, instanceNames } from './instances.ts';
import { ServeError } from './serve-error.ts';
import type { App } from './workspace.ts';

const apps = ['api-gateway', 'account-service', 'webhook-api'].map((name) => ({ name }) as App);

test('how often each app runs: once, unless it is named, or is the one that is served', () => {
  const counts = (...options: { app: string | undefined; count: number }[]) => Object.fromEntries(instanceCounts(options, 'webhook-api', apps));
  assert.deepEqual(counts(), { 'api-gateway': 1, 'account-service': 1, 'webhook-api': 1 });
  assert.deepEqual(counts({ app: undefined, count: 3 }, { app: 'account-service', count: 2 }), { 'api-gateway': 1, 'account-service': 2, 'webhook-api': 3 });
  assert.deepEqual(counts({ app: 'api-gateway', count: 1 }), { 'api-gateway': 1, 'account-service': 1, 'webhook-api': 1 });
});

test('one sentence for an app that is not served, and for several gateways', () => {
  const refuses = (app: string | undefined, served: string, says: RegExp) => assert.throws(() => instanceCounts([{ app, count: 2 }], served, apps), (error: Error) => error instanceof ServeError && says.test(error.message));
  refuses('acount-service', 'webhook-api', /"acount-service", which is not served: give it one of account-service, webhook-api/);
  refuses('api-gateway', 'webhook-api', /api-gateway runs once, since one process alone can have PORT: .*--instances=account-service=3/);
  refuses(undefined, 'api-gateway', /api-gateway runs once/);
});

test('the names of instances', () => {
  assert.deepEqual(instanceNames('one', 1), ['one']);
  assert.deepEqual(instanceNames('one', 3), ['one#1', 'one#2', 'one#3']);
});
