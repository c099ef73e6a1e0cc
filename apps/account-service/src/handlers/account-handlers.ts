import { type AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { notFound, principal, type ServiceImplementation } from '@talaria/service';
import { type AccountStorage } from '../storage/account-storage.ts';

const DEFAULT_PAGE = 30;

/** Every method sees only the accounts of the principal that it is called for. */
export function accountHandlers(storage: AccountStorage): ServiceImplementation<AccountServiceDefinition> {
  return {
    async createAccount({ description }) {
      return { account: await storage.create(principal().id, description) };
    },
    async getAccount({ id }) {
      const account = await storage.get(principal().id, id);
      if (!account) throw notFound('account', `There is no account ${id}.`, { params: { id } });
      return { account };
    },
    async listAccounts({ limit, since }) {
      return { accounts: await storage.list(principal().id, { limit: limit || DEFAULT_PAGE, since }) };
    },
  };
}
