import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { httpClient } from '@talaria/http';
import { messaging } from '@talaria/messaging';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { webhookHandlers } from './handlers/webhook-handlers.ts';
import { deliverer } from './logic/deliverer.ts';
import { settings } from './settings.ts';
import { migrations, webhookStorage, type Tables } from './storage/index.ts';

const db = postgres<Tables>({ migrations });
const events = messaging({ storage: db });
const service = createService({ name: 'service.webhook', description: 'Keeps and delivers webhooks', storage: db, messaging: events });
const [storage, http] = [webhookStorage(db), httpClient({ allowLoopback: service.settings(settings).TALARIA_WEBHOOK_ALLOW_LOOPBACK })];
service.add(WebhookServiceDefinition, webhookHandlers(storage, http));
events.subscribe('transaction.created', (event) => storage.enqueue(event));
service.worker('deliver', deliverer({ storage, http, log: service.log })).onStop(() => http.close(), { phase: 'release' });
await service.run();
