import { type Transaction } from '@talaria/contracts/transaction/v1/transaction';

/** The data of the event `transaction.created`: the transaction in proto JSON, its amount a number (`jstype = JS_NUMBER`). */
export function transactionCreated(transaction: Transaction): Record<string, string | number> {
  return {
    id: transaction.id,
    account_id: transaction.accountId,
    amount: Number(transaction.amount),
    currency: transaction.currency,
    description: transaction.description,
    created: transaction.created?.toISOString() ?? '',
    dedupe_id: transaction.dedupeId,
  };
}
