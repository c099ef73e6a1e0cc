import { type Generated } from '@talaria/storage';

/** A bank account. */
export interface AccountsTable {
  id: string;
  /** The id of the principal that owns it. */
  owner: string;
  description: string;
  created: Generated<Date>;
}

/** What this service keeps. */
export interface Tables {
  accounts: AccountsTable;
}
