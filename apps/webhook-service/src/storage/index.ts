export { migrations } from './migrations.ts';
export { type DeliveriesTable, type Tables, type WebhooksTable } from './tables.ts';
export { webhookStorage, type Delivery, type WebhookStorage } from './webhook-storage.ts';
