import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRealPlatform } from '@talaria/testing';
import { run } from './run.ts';

/** What each app serves when it is served alone, with what it needs. */
const APPS = {
  'auth-service': 'auth.v1.AuthService',
  'account-service': 'account.v1.AccountService',
  'transaction-service': 'transaction.v1.TransactionService',
  'webhook-service': 'webhook.v1.WebhookService',
};

for (const [app, contract] of Object.entries(APPS)) {
  test(`${app} can be served alone`, async () => {
    const namespace = `alone-${app}-${process.pid}`;
    const platform = await startRealPlatform({ app, env: { TALARIA_NAMESPACE: namespace } });
    try {
      const printed = await run('npx', ['talaria', 'services'], { env: { TALARIA_STATE_DIR: platform.stateDir, TALARIA_NAMESPACE: namespace } });
      assert.ok(printed.includes(contract), printed);
      const commands = (await platform.processes()).map(({ command }) => command).join('\n');
      assert.ok(commands.includes(`node apps/${app}/src/main.ts`), commands);
      assert.ok(!commands.includes('apps/webhook-api/'), commands);
    } finally {
      await platform.stop();
    }
  });
}
