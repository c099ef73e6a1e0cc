import { type WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { type HttpClient } from '@talaria/http';
import { notFound, type ServiceImplementation } from '@talaria/service';
import { newSecret } from '../logic/signature.ts';
import { type WebhookStorage } from '../storage/index.ts';

/** For other services only: whose account it is was checked by the caller. */
export function webhookHandlers(storage: WebhookStorage, http: Pick<HttpClient, 'checkUrl'>): ServiceImplementation<WebhookServiceDefinition> {
  return {
    async createWebhook({ accountId, url }) {
      await http.checkUrl(url);
      return { webhook: await storage.create(accountId, url, newSecret()) };
    },
    async getWebhook({ id }) {
      const webhook = await storage.get(id);
      if (!webhook) throw notFound('webhook', `There is no webhook ${id}.`, { params: { id } });
      return { webhook };
    },
    async listWebhooks({ accountId }) {
      return { webhooks: await storage.list(accountId) };
    },
    async deleteWebhook({ id }) {
      await storage.delete(id);
      return {};
    },
  };
}
