import { type RecordTransactionRequest, type Transaction } from '@talaria/contracts/transaction/v1/transaction';
import { type Messaging } from '@talaria/messaging';
import { conflict, newId } from '@talaria/service';
import { type Postgres, type Selectable, sql } from '@talaria/storage';
import { transactionCreated } from '../logic/transaction-created.ts';
import { type Tables, type TransactionsTable } from './tables.ts';

/** What to record; that there is an amount was checked before. */
export interface NewTransaction extends RecordTransactionRequest {
  readonly amount: bigint;
}

/** Which part of an account's transactions. */
export interface TransactionPage {
  readonly limit: number;
  /** After this time, or after the transaction with this id. */
  readonly since?: Date | string | undefined;
  readonly before?: Date | undefined;
}

/** Transactions; whose account it is was checked before. */
export interface TransactionStorage {
  /** Records and publishes, both or neither. A known dedupe_id answers what was recorded first. */
  record(request: NewTransaction): Promise<Transaction>;
  get(id: string): Promise<Transaction | undefined>;
  /** Oldest first. */
  list(accountId: string, page: TransactionPage): Promise<Transaction[]>;
}

const fromRow = (row: Selectable<TransactionsTable>): Transaction => ({
  id: row.id,
  accountId: row.account_id,
  amount: row.amount,
  currency: row.currency,
  description: row.description,
  created: row.created,
  dedupeId: row.dedupe_id ?? '',
});

/** Keeps transactions in PostgreSQL and publishes `transaction.created` in the same database transaction. */
export function transactionStorage(postgres: Postgres<Tables>, events: Messaging): TransactionStorage {
  async function recorded(request: NewTransaction): Promise<Transaction> {
    const row = await postgres.db
      .selectFrom('transactions')
      .selectAll()
      .where('account_id', '=', request.accountId)
      .where('dedupe_id', '=', request.dedupeId)
      .executeTakeFirstOrThrow();
    const first = fromRow(row);
    if (first.amount !== request.amount || first.currency !== request.currency || first.description !== request.description) {
      throw conflict('dedupe_id', `Another transaction was recorded with dedupe_id ${request.dedupeId}.`, {
        params: { id: first.id },
        violations: [{ field: 'dedupe_id', description: 'was used for a transaction with other fields' }],
      });
    }
    return first;
  }

  return {
    record: (request) =>
      postgres.transaction(async () => {
        const inserted = await postgres.db
          .insertInto('transactions')
          .values({
            id: newId('tx'),
            account_id: request.accountId,
            amount: request.amount,
            currency: request.currency,
            description: request.description,
            dedupe_id: request.dedupeId || null,
          })
          .onConflict((clash) => clash.constraint('transactions_dedupe').doNothing())
          .returningAll()
          .executeTakeFirst();
        if (!inserted) return recorded(request);
        const transaction = fromRow(inserted);
        await events.publish('transaction.created', { subject: transaction.accountId, data: transactionCreated(transaction) });
        return transaction;
      }),
    async get(id) {
      const row = await postgres.db.selectFrom('transactions').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromRow(row);
    },
    async list(accountId, { limit, since, before }) {
      let query = postgres.db.selectFrom('transactions').selectAll().where('account_id', '=', accountId);
      if (since instanceof Date) query = query.where('created', '>', since);
      else if (since) query = query.where(sql<boolean>`(created, id) > (select created, id from transactions where account_id = ${accountId} and id = ${since})`);
      if (before) query = query.where('created', '<', before);
      return (await query.orderBy('created').orderBy('id').limit(limit).execute()).map(fromRow);
    },
  };
}
