import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLedger, type Ledger } from './ledger.ts';
import { judge, type Delivered, type Found, type Recorded } from './verdict.ts';

const record = (id: string, description: string, more: Partial<Recorded> = {}): Recorded => ({ id, accountId: 'acc_1', amount: 100, currency: 'GBP', description, dedupeId: '', ...more });
const delivery = (each: Recorded, more: Partial<Delivered> = {}): Delivered => ({
  accountId: each.accountId,
  eventId: `evt_${each.id}`,
  body: JSON.stringify({ type: 'transaction.created', data: { id: each.id, account_id: each.accountId, amount: each.amount, currency: each.currency, description: each.description, dedupe_id: each.dedupeId } }),
  signed: true,
  ...more,
});

/** A run in which all is well; tests spoil it. */
function sound(): { ledger: Ledger; found: { -readonly [K in keyof Found]: Found[K] } } {
  const ledger = createLedger();
  ledger.acknowledge(ledger.want(record('', 'a', { dedupeId: 'order-1' })), 'tx_a');
  ledger.acknowledge(ledger.want(record('', 'b', { amount: -30 })), 'tx_b');
  // Nobody knows what became of these two: one was recorded.
  ledger.want(record('', 'c'));
  ledger.want(record('', 'd'));
  ledger.wantAccount('mine');
  ledger.acknowledgeAccount('mine', 'acc_1');
  ledger.wantAccount('lost on the way');
  const stored = [record('tx_a', 'a', { dedupeId: 'order-1' }), record('tx_b', 'b', { amount: -30 }), record('tx_c', 'c')];
  // At least once: one came twice.
  const delivered = [...stored, ...stored.slice(0, 1)].map((each) => delivery(each));
  return { ledger, found: { listed: [...stored], stored, accounts: new Map([['acc_1', 'mine']]), delivered, left: [] } };
}

describe('the verdict on the money', () => {
  it('is that all is well where it is, also with what nobody knows the end of', () => {
    const { ledger, found } = sound();
    assert.deepEqual(judge(ledger, found), []);
  });

  const cases: Record<string, [(run: ReturnType<typeof sound>) => void, RegExp]> = {
    'a lost transaction': [({ found }) => (found.stored = found.stored.slice(1)), /a was acknowledged as tx_a and is lost/],
    'a doubled one': [({ found }) => (found.stored = [...found.stored, record('tx_z', 'c')]), /c was recorded 2 times: tx_c, tx_z/],
    'a changed one': [({ found }) => (found.stored = [record('tx_a', 'a', { dedupeId: 'order-1', amount: 101 }), ...found.stored.slice(1)]), /tx_a is .*101/],
    'an invented one': [({ found }) => (found.stored = [...found.stored, record('tx_z', 'z')]), /tx_z \("z"\) was invented/],
    'one that is stored and not listed': [({ found }) => (found.listed = found.listed.slice(1)), /the API lists 2 transactions of acc_1, and 3 are stored/],
    'a balance': [({ found }) => (found.listed = found.listed.slice(1)), /the balance of acc_1 is 70 and should be 170/],
    'two answers to one order': [({ ledger }) => ledger.acknowledge([...ledger.transactions.values()][0]!, 'tx_other'), /acknowledged as tx_a and as tx_other/],
    'an order that was never acknowledged': [({ ledger }) => void ledger.want(record('', 'e', { dedupeId: 'order-2' })), /e was never acknowledged/],
    'a lost account': [({ found }) => (found.accounts = new Map()), /the account acc_1 was acknowledged and is lost/],
    'a doubled account': [({ found }) => (found.accounts = new Map([...found.accounts, ['acc_2', 'mine']])), /"mine" was opened 2 times by one request/],
    'an invented account': [({ found }) => (found.accounts = new Map([...found.accounts, ['acc_2', 'whose']])), /acc_2 \("whose"\) was invented/],
    'an event that never came': [({ found }) => (found.delivered = found.delivered.slice(1, 3)), /nobody was told of tx_a/],
    'two events of one transaction': [({ found }) => (found.delivered = [...found.delivered, delivery(record('tx_b', 'b', { amount: -30 }), { eventId: 'evt_z' })]), /2 events tell of tx_b/],
    'an event of nothing': [({ found }) => (found.delivered = [...found.delivered, delivery(record('tx_z', 'z'))]), /tells of tx_z, which does not exist/],
    'an event that tells something else': [({ found }) => (found.delivered = [delivery(record('tx_a', 'a', { dedupeId: 'order-1', amount: 7 })), ...found.delivered.slice(1, 3)]), /tells of tx_a what is not so/],
    'an event that changes': [({ found }) => (found.delivered = [...found.delivered, delivery(record('tx_a', 'a', { dedupeId: 'order-1', amount: 7 }))]), /evt_tx_a was delivered with different contents/],
    'an event at the wrong door': [({ found }) => (found.delivered = [...found.delivered, delivery(record('tx_a', 'a', { dedupeId: 'order-1' }), { accountId: 'acc_2' })]), /tells of tx_a what is not so/],
    'a wrong signature': [({ found }) => (found.delivered = [...found.delivered, delivery(record('tx_a', 'a', { dedupeId: 'order-1' }), { signed: false })]), /was not signed/],
    'what is left': [({ found }) => (found.left = ['deliveries: 3']), /something is left: deliveries: 3/],
  };
  for (const [name, [spoil, says]] of Object.entries(cases)) {
    it(`sees ${name}`, () => {
      const run = sound();
      spoil(run);
      assert.match(judge(run.ledger, run.found).join('\n'), says);
    });
  }
});
