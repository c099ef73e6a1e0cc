import { AccountServiceDefinition, type Account } from '@talaria/contracts/account/v1/account';
import { newId, notFound, runInCall, type CallLimits, type Client, type Service } from '@talaria/service';
import { createPlatform } from '@talaria/testing';

/** What the code in the guides runs on. */
export interface Stage {
  /** A service that calls others. */
  readonly service: Service;
  /** Calls on behalf of somebody. */
  readonly accounts: Client<AccountServiceDefinition, CallLimits>;
  /** Runs `fn` as inside of a call on behalf of somebody, and then ends everything. */
  run(fn: () => Promise<void>): Promise<void>;
  /** Ends everything. */
  done(): Promise<void>;
}

/** A platform in this process, on which accounts are kept in memory. */
export async function stage(): Promise<Stage> {
  const all: Account[] = [];
  const platform = await createPlatform();
  platform.service({ name: 'service.account' }).add(AccountServiceDefinition, {
    async createAccount({ description }) {
      const account = { id: newId('acc'), description, created: new Date() };
      all.push(account);
      return { account };
    },
    async getAccount({ id }) {
      const account = all.find((each) => each.id === id);
      if (!account) throw notFound('account', `There is no account ${id}.`, { params: { id } });
      return { account };
    },
    listAccounts: async () => ({ accounts: all }),
  });
  const service = platform.service({ name: 'service.example' });
  await platform.start();
  const somebody = { id: 'user_1', scopes: ['accounts:read', 'accounts:write'] };
  const done = (): Promise<void> => platform.stop();
  return {
    service,
    accounts: platform.client(AccountServiceDefinition, { as: somebody }),
    async run(fn) {
      const passport = await platform.passport(somebody);
      await runInCall({ passport }, fn).finally(done);
    },
    done,
  };
}
