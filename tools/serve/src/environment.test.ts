import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appEnvironment } from './environment.ts';
import type { App } from './workspace.ts';

const app: App = { name: 'invoice-service', service: 'service.invoice', version: '1.2.3', contracts: [], storage: false, folder: 'apps/invoice-service', program: 'apps/invoice-service/src/main.ts' };
const environmentOf = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => appEnvironment(app, [app], env, '/state', { engines: [], etcdEndpoints: '127.0.0.1:1', databaseUrl: undefined } as never, undefined);

test('an app says its own version, not that of the workspace, unless the user names another', () => {
  assert.equal(environmentOf({ npm_package_version: '0.0.0' })['TALARIA_VERSION'], '1.2.3');
  assert.equal(environmentOf({ TALARIA_VERSION: '9' })['TALARIA_VERSION'], '9');
});
