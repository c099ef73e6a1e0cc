// For services.
export { messaging, type Messaging, type MessagingOptions } from './messaging.ts';
export type { Envelope } from './envelope.ts';
export type { EventHandler } from './consumer.ts';
export { continueTrace } from './propagation.ts';

// For brokers.
export type { Broker, DeadLetter, Taken } from './broker.ts';
export { postgresBroker } from './postgres/postgres-broker.ts';
