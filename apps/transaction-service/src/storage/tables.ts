import { type Generated } from '@talaria/storage';

/** What moved on an account. */
export interface TransactionsTable {
  id: string;
  account_id: string;
  /** In minor units. */
  amount: bigint;
  currency: string;
  description: string;
  /** Unique for each account; null for none. */
  dedupe_id: string | null;
  created: Generated<Date>;
}

/** What this service keeps. */
export interface Tables {
  transactions: TransactionsTable;
}
