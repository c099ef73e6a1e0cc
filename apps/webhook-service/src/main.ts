import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { featureFlags } from '@talaria/flags';
import { messaging } from '@talaria/messaging';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { deliveries } from './deliveries.ts';
import { webhookHandlers } from './handlers/webhook-handlers.ts';
import { migrations, webhookStorage, type Tables } from './storage/index.ts';

const db = postgres<Tables>({ migrations });
const [events, storage] = [messaging({ storage: db }), webhookStorage(db)];
const flags = featureFlags({ exposures: events });
const service = createService({ name: 'service.webhook', description: 'Keeps and delivers webhooks', storage: db, messaging: events, capabilities: [flags] });
const { http, deliver } = deliveries(service, { storage, events, flags });
service.add(WebhookServiceDefinition, webhookHandlers(storage, http)).worker('deliver', deliver);
await service.run();
