import { type AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { type WebhookApiServiceDefinition } from '@talaria/contracts/webhook/api/v1/webhook_api';
import { type WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { hasCode, notFound, type Client, type ServiceImplementation } from '@talaria/service';

/** The services behind this API. */
export interface Behind {
  readonly accounts: Pick<Client<AccountServiceDefinition>, 'getAccount'>;
  readonly webhooks: Client<WebhookServiceDefinition>;
}

/** Asks account-service, which knows whose an account is, before it asks webhook-service, which does not. */
export function webhookApiHandlers({ accounts, webhooks }: Behind): ServiceImplementation<WebhookApiServiceDefinition> {
  return {
    async registerWebhook({ accountId, url }) {
      await accounts.getAccount({ id: accountId });
      const { webhook } = await webhooks.createWebhook({ accountId, url });
      return { webhook };
    },
    async listWebhooks({ accountId }) {
      const [found] = await Promise.all([webhooks.listWebhooks({ accountId }), accounts.getAccount({ id: accountId })]);
      return { webhooks: found.webhooks.map(({ id, url }) => ({ id, accountId, url })) };
    },
    async deleteWebhook({ id }) {
      const { webhook } = await webhooks.getWebhook({ id });
      try {
        await accounts.getAccount({ id: webhook?.accountId ?? '' });
      } catch (error) {
        // Another principal's webhook must look like one that does not exist.
        throw hasCode(error, 'not_found') ? notFound('webhook', `There is no webhook ${id}.`, { params: { id } }) : error;
      }
      await webhooks.deleteWebhook({ id });
      return {};
    },
  };
}
