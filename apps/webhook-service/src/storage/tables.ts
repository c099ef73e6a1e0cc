import { type Generated } from '@talaria/storage';

/** Where an account's events go. */
export interface WebhooksTable {
  id: string;
  account_id: string;
  url: string;
  secret: string;
  created: Generated<Date>;
  /** Set once the receiver answered 410 Gone: nothing is sent to it again. */
  disabled: Date | null;
}

/** One event on its way to one webhook. */
export interface DeliveriesTable {
  id: Generated<bigint>;
  webhook_id: string;
  /** The same on every attempt: receivers deduplicate by it. */
  event_id: string;
  body: string;
  /** Of the trace that caused the event. */
  traceparent: string | null;
  /** Attempts begun. */
  attempts: Generated<number>;
  /** When the next attempt is due. */
  due: Generated<Date>;
  /** Until when a worker holds it. */
  taken_until: Date | null;
  /** Set once the last attempt failed: kept, and not tried again. */
  dead: Date | null;
  last_error: string | null;
}

/** What this service keeps. */
export interface Tables {
  webhooks: WebhooksTable;
  deliveries: DeliveriesTable;
}
