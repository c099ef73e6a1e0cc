import { type FeatureFlags } from '@talaria/flags';
import { type HttpClient } from '@talaria/http';
import { type Messaging } from '@talaria/messaging';
import { type Service } from '@talaria/service';
import { deliverer } from './logic/deliverer.ts';
import { withIcon } from './logic/with-icon.ts';
import { receivers } from './receivers.ts';
import { type WebhookStorage } from './storage/index.ts';

/** What deliveries are made of. */
export interface DeliveryParts {
  readonly storage: WebhookStorage;
  readonly events: Pick<Messaging, 'subscribe'>;
  readonly flags: Pick<FeatureFlags, 'client'>;
}

/** The way of an event to its receivers. */
export interface Deliveries {
  /** What reaches receivers. */
  readonly http: HttpClient;
  /** A worker that delivers what came. */
  deliver(signal: AbortSignal): Promise<void>;
}

/** Subscribes to what webhooks are about, and puts together what delivers it. Before the start. */
export function deliveries(service: Service, { storage, events, flags }: DeliveryParts): Deliveries {
  const { http, limits } = receivers(service);
  const shown = withIcon(flags);
  events.subscribe('transaction.created', async (event) => storage.enqueue(await shown(event)));
  return { http, deliver: deliverer({ storage, http, limits, log: service.log }) };
}
