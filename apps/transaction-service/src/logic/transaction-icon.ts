import { type Transaction } from '@talaria/contracts/transaction/v1/transaction';
import { type FeatureFlags } from '@talaria/flags';

/** The flag, and experiment, that says which icon stands before the description of a transaction; none if it is empty. */
const FLAG = 'transaction-icons';

/** Gives transactions the icon of whoever the call is made for. They are stored without. */
export function transactionIcon(flags: Pick<FeatureFlags, 'client'>): (transaction: Transaction) => Promise<Transaction> {
  const client = flags.client();
  return async (transaction) => {
    const icon = await client.getStringValue(FLAG, '');
    return icon === '' ? transaction : { ...transaction, description: `${icon} ${transaction.description}` };
  };
}
