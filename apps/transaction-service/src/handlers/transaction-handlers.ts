import { type AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { type Transaction, type TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { hasCode, notFound, type Client, type ServiceImplementation } from '@talaria/service';
import { moment, momentOrId } from '../logic/moment.ts';
import { type TransactionStorage } from '../storage/transaction-storage.ts';

const DEFAULT_PAGE = 30;

/** What the handlers work with. */
export interface TransactionParts {
  readonly storage: TransactionStorage;
  readonly accounts: Pick<Client<AccountServiceDefinition>, 'getAccount'>;
  /** What a transaction looks like to whoever the call is made for. Default: as it is stored. */
  readonly shown?: (transaction: Transaction) => Promise<Transaction>;
}

/** Every method sees only transactions on accounts of the principal that it is called for. */
export function transactionHandlers({ storage, accounts, shown = async (transaction) => transaction }: TransactionParts): ServiceImplementation<TransactionServiceDefinition> {
  return {
    async recordTransaction(request) {
      await accounts.getAccount({ id: request.accountId });
      return { transaction: await shown(await storage.record({ ...request, amount: request.amount ?? 0n })) };
    },
    async getTransaction({ id }) {
      const missing = notFound('transaction', `There is no transaction ${id}.`, { params: { id } });
      const transaction = await storage.get(id);
      if (!transaction) throw missing;
      try {
        await accounts.getAccount({ id: transaction.accountId });
      } catch (error) {
        // Another principal's transaction must look like one that does not exist.
        throw hasCode(error, 'not_found') ? missing : error;
      }
      return { transaction: await shown(transaction) };
    },
    async listTransactions({ accountId, limit, since, before }) {
      const page = { limit: limit || DEFAULT_PAGE, since: momentOrId('since', since), before: moment('before', before) };
      await accounts.getAccount({ id: accountId });
      return { transactions: await Promise.all((await storage.list(accountId, page)).map(shown)) };
    },
  };
}
