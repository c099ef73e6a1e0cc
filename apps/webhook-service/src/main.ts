import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { messaging } from '@talaria/messaging';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { webhookHandlers } from './handlers/webhook-handlers.ts';
import { deliverer } from './logic/deliverer.ts';
import { receivers } from './receivers.ts';
import { migrations, webhookStorage, type Tables } from './storage/index.ts';

const db = postgres<Tables>({ migrations });
const [events, storage] = [messaging({ storage: db }), webhookStorage(db)];
const service = createService({ name: 'service.webhook', description: 'Keeps and delivers webhooks', storage: db, messaging: events });
const { http, limits } = receivers(service);
service.add(WebhookServiceDefinition, webhookHandlers(storage, http)).worker('deliver', deliverer({ storage, http, limits, log: service.log }));
events.subscribe('transaction.created', (event) => storage.enqueue(event));
await service.run();
