import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transaction } from '@talaria/contracts/transaction/v1/transaction';
import { featureFlags, memoryFlagSource, parseAssignments, withAssignments } from '@talaria/flags';
import { silentLogger } from '@talaria/service';
import { transactionIcon } from './transaction-icon.ts';

test('transactions have the icon of the variant, and are as they are without one', async () => {
  const flags = featureFlags({ source: memoryFlagSource({ flags: { 'transaction-icons': { state: 'ENABLED', variants: { none: '', card: '💳' }, defaultVariant: 'none' } } }) });
  await flags.start({ service: 'service.transaction', instance: 'inst_1', log: silentLogger, env: {} }, AbortSignal.timeout(20_000));
  const shown = transactionIcon(flags);
  const transaction = Transaction.fromPartial({ id: 'tx_1', description: 'Coffee' });
  assert.equal(await shown(transaction), transaction);
  const { description } = await withAssignments(parseAssignments('customer*user_1*transaction-icons!card'), () => shown(transaction));
  assert.equal(description, '💳 Coffee');
  await flags.stop();
});
