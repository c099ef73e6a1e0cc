/** A transaction that was asked for. */
export interface Wanted {
  readonly accountId: string;
  readonly amount: number;
  readonly currency: string;
  /** Says which request it was: different for each. */
  readonly description: string;
  /** Repeated until it was acknowledged; empty: asked for once. */
  readonly dedupeId: string;
  /** What was acknowledged. */
  id: string | undefined;
}

/** What clients asked for, and what they were told. */
export interface Ledger {
  /** By description. */
  readonly transactions: ReadonlyMap<string, Wanted>;
  /** Accounts by description: the id where it was acknowledged, undefined where nobody knows. */
  readonly accounts: ReadonlyMap<string, string | undefined>;
  /** Acknowledgements that contradict each other: always wrong. */
  readonly contradictions: readonly string[];
  want(transaction: Omit<Wanted, 'id'>): Wanted;
  acknowledge(transaction: Wanted, id: string): void;
  wantAccount(description: string): void;
  acknowledgeAccount(description: string, id: string): void;
}

/** Begins an empty one. */
export function createLedger(): Ledger {
  const transactions = new Map<string, Wanted>();
  const accounts = new Map<string, string | undefined>();
  const contradictions: string[] = [];
  return {
    transactions,
    accounts,
    contradictions,
    want(transaction) {
      const wanted = { ...transaction, id: undefined };
      transactions.set(transaction.description, wanted);
      return wanted;
    },
    acknowledge(transaction, id) {
      if (transaction.id !== undefined && transaction.id !== id) contradictions.push(`${transaction.description} was acknowledged as ${transaction.id} and as ${id}`);
      transaction.id = id;
    },
    wantAccount: (description) => void accounts.set(description, undefined),
    acknowledgeAccount: (description, id) => void accounts.set(description, id),
  };
}
