import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { WebhookApiServiceDefinition } from '@talaria/contracts/webhook/api/v1/webhook_api';
import { createPlatform, type TestPlatform, type TestPlatformOptions } from '@talaria/testing';
import type { Service } from '../types.ts';

/** What each of three services does when it is called: the first calls the second, that calls the third. */
export interface Hops {
  readonly first?: () => void | Promise<void>;
  readonly second?: () => void | Promise<void>;
  readonly third?: () => void | Promise<void>;
}

/** Three services in a row, and a client of the first. */
export interface Chain {
  readonly platform: TestPlatform;
  readonly services: readonly [Service, Service, Service];
  /** Calls the first one. */
  call(options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<unknown>;
}

const SCOPES = ['webhooks:read', 'transactions:read', 'accounts:read'];
const refuse = (): never => {
  throw new Error('not part of this test');
};

/** Starts `api.first` → `service.second` → `service.third`. */
export async function startChain(hops: Hops, options: TestPlatformOptions = {}): Promise<Chain> {
  const platform = await createPlatform(options);
  const first = platform.service({ name: 'api.first' });
  const second = platform.service({ name: 'service.second' });
  const third = platform.service({ name: 'service.third' });
  const toSecond = first.client(TransactionServiceDefinition);
  const toThird = second.client(AccountServiceDefinition);
  first.add(WebhookApiServiceDefinition, {
    registerWebhook: refuse,
    deleteWebhook: refuse,
    async listWebhooks() {
      await hops.first?.();
      await toSecond.listTransactions({ accountId: 'acc_1' });
      return { webhooks: [] };
    },
  });
  second.add(TransactionServiceDefinition, {
    recordTransaction: refuse,
    getTransaction: refuse,
    async listTransactions() {
      await hops.second?.();
      await toThird.listAccounts({});
      return { transactions: [] };
    },
  });
  third.add(AccountServiceDefinition, {
    createAccount: refuse,
    getAccount: refuse,
    async listAccounts() {
      await hops.third?.();
      return { accounts: [] };
    },
  });
  await platform.start();
  const client = platform.client(WebhookApiServiceDefinition, { as: { id: 'user_1', scopes: SCOPES }, caller: 'api.gateway', edge: true });
  return { platform, services: [first, second, third], call: (given = {}) => client.listWebhooks({ accountId: 'acc_1' }, given) };
}
