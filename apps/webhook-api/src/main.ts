import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { WebhookApiServiceDefinition } from '@talaria/contracts/webhook/api/v1/webhook_api';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { createService } from '@talaria/service';
import { webhookApiHandlers } from './handlers/webhook-api-handlers.ts';

const service = createService({ name: 'api.webhook', description: 'The public API of webhooks' });
const [accounts, webhooks] = [service.client(AccountServiceDefinition), service.client(WebhookServiceDefinition)];
service.add(WebhookApiServiceDefinition, webhookApiHandlers({ accounts, webhooks }));
await service.run();
