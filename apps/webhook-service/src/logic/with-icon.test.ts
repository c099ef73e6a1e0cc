import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureFlags, memoryFlagSource, parseAssignments, withAssignments } from '@talaria/flags';
import { type Envelope } from '@talaria/messaging';
import { silentLogger } from '@talaria/service';
import { withIcon } from './with-icon.ts';

test('a transaction gets the icon that was decided for the call that caused it, and none otherwise', async () => {
  const flags = featureFlags({ source: memoryFlagSource({ flags: { 'transaction-icons': { state: 'ENABLED', variants: { none: '', card: '💳' }, defaultVariant: 'none' } } }) });
  await flags.start({ service: 'service.webhook', instance: 'inst_1', log: silentLogger, env: {} }, AbortSignal.timeout(20_000));
  const shown = withIcon(flags);
  const event: Envelope = { id: 'evt_1', type: 'transaction.created', time: '', source: 'service.transaction', subject: 'acc_1', data: { id: 'tx_1', description: 'Coffee' } };
  assert.deepEqual(await shown(event), event);
  const decided = (text: string) => withAssignments(parseAssignments(text), () => shown(event));
  assert.deepEqual((await decided('customer*user_1*transaction-icons!card')).data, { id: 'tx_1', description: '💳 Coffee' });
  assert.deepEqual(await decided('customer*user_1*transaction-icons!none'), event);
  assert.deepEqual(await decided('customer*user_1'), event);
  await flags.stop();
});
