import { type Webhook } from '@talaria/contracts/webhook/v1/webhook';
import { type Envelope } from '@talaria/messaging';
import { newId } from '@talaria/service';
import { type Postgres, sql } from '@talaria/storage';
import { type Tables } from './tables.ts';

/** A delivery that this worker holds. */
export interface Delivery {
  readonly id: bigint;
  readonly webhookId: string;
  readonly eventId: string;
  readonly url: string;
  readonly secret: string;
  readonly body: string;
  /** Of the trace that caused the event, if it has one. */
  readonly traceparent?: string | undefined;
  /** Counting this one: 1 for the first. */
  readonly attempt: number;
}

/** How many deliveries to take. */
export interface ClaimLimits {
  readonly most: number;
  /** So that a dead receiver keeps few workers busy. */
  readonly mostForEachWebhook: number;
  /** After which another worker may take them again. */
  readonly holdMs: number;
}

/** Webhooks and what is on its way to them. */
export interface WebhookStorage {
  create(accountId: string, url: string, secret: string): Promise<Webhook>;
  get(id: string): Promise<Webhook | undefined>;
  /** Oldest first. */
  list(accountId: string): Promise<Webhook[]>;
  delete(id: string): Promise<void>;
  /** One delivery for each webhook of the event's account; the same event again adds none. */
  enqueue(event: Envelope): Promise<void>;
  claim(limits: ClaimLimits): Promise<Delivery[]>;
  succeed(delivery: Delivery): Promise<void>;
  /** Tries again after `retryInMs`, or keeps it as dead if that is undefined. */
  fail(delivery: Delivery, error: string, retryInMs: number | undefined): Promise<void>;
  /** Sends nothing to it again. */
  disable(webhookId: string): Promise<void>;
}

/** Keeps webhooks and deliveries in PostgreSQL. */
export function webhookStorage(postgres: Postgres<Tables>): WebhookStorage {
  const columns = ['id', 'account_id as accountId', 'url'] as const;
  const withoutSecret = (row: { id: string; accountId: string; url: string }): Webhook => ({ ...row, secret: '' });
  return {
    async create(accountId, url, secret) {
      const row = { id: newId('webhook'), account_id: accountId, url, secret };
      await postgres.db.insertInto('webhooks').values(row).execute();
      return { id: row.id, accountId, url, secret };
    },
    async get(id) {
      const row = await postgres.db.selectFrom('webhooks').select(columns).where('id', '=', id).executeTakeFirst();
      return row && withoutSecret(row);
    },
    async list(accountId) {
      const rows = await postgres.db.selectFrom('webhooks').select(columns).where('account_id', '=', accountId).orderBy('created').orderBy('id').execute();
      return rows.map(withoutSecret);
    },
    async delete(id) {
      await postgres.db.deleteFrom('webhooks').where('id', '=', id).execute();
    },
    async enqueue(event) {
      const body = JSON.stringify({ type: event.type, data: event.data });
      await sql`
        insert into deliveries (webhook_id, event_id, body, traceparent)
        select id, ${event.id}, ${body}, ${event.traceparent ?? null} from webhooks where account_id = ${event.subject} and disabled is null
        on conflict on constraint deliveries_once do nothing`.execute(postgres.db);
    },
    async claim({ most, mostForEachWebhook, holdMs }) {
      const taken = await sql<Delivery & { readonly traceparent: string | null }>`
        with waiting as (
          -- Only webhooks of which one can be taken now: what hangs must not fill this list and hide the others.
          select webhook_id from deliveries join webhooks on webhooks.id = webhook_id and webhooks.disabled is null
          where dead is null and due <= now() group by webhook_id
          having count(*) filter (where taken_until > now()) < ${mostForEachWebhook}::int
            and count(*) filter (where taken_until is null or taken_until <= now()) > 0
          order by min(due) limit ${most}
        ), chosen as (
          select candidate.id from waiting
          cross join lateral (select count(*)::int as count from deliveries held where held.webhook_id = waiting.webhook_id and held.dead is null and held.taken_until > now()) busy
          cross join lateral (
            select id from deliveries
            where webhook_id = waiting.webhook_id and dead is null and due <= now() and (taken_until is null or taken_until <= now())
            order by due limit greatest(0, ${mostForEachWebhook}::int - busy.count) for update skip locked
          ) candidate
          limit ${most}
        )
        update deliveries set attempts = attempts + 1, taken_until = now() + ${holdMs} * interval '1 millisecond'
        from webhooks where deliveries.id in (select id from chosen) and webhooks.id = deliveries.webhook_id
        returning deliveries.id, webhooks.id as "webhookId", event_id as "eventId", url, secret, body, traceparent, attempts as attempt`.execute(postgres.db);
      return taken.rows.map(({ traceparent, ...delivery }) => ({ ...delivery, traceparent: traceparent ?? undefined }));
    },
    async succeed({ id, attempt }) {
      await postgres.db.deleteFrom('deliveries').where('id', '=', id).where('attempts', '=', attempt).execute();
    },
    async fail({ id, attempt }, error, retryInMs) {
      const due = sql<Date>`now() + ${retryInMs ?? 0} * interval '1 millisecond'`;
      await postgres.db
        .updateTable('deliveries')
        // Never revives one that is dead: another attempt may have been told that the receiver is gone.
        .set({ due, taken_until: null, last_error: error, ...(retryInMs === undefined ? { dead: sql<Date>`now()` } : {}) })
        .where('id', '=', id)
        .where('attempts', '=', attempt)
        .execute();
    },
    disable: (webhookId) =>
      postgres.transaction(async () => {
        await postgres.db.updateTable('webhooks').set({ disabled: sql<Date>`now()` }).where('id', '=', webhookId).execute();
        await postgres.db.updateTable('deliveries').set({ dead: sql<Date>`now()` }).where('webhook_id', '=', webhookId).where('dead', 'is', null).execute();
      }),
  };
}
