import { randomUUID } from 'node:crypto';
import { postgres, sql, untilReachable } from '@talaria/storage';
import type { Broker, DeadLetter } from '../broker.ts';
import type { Envelope } from '../envelope.ts';
import { brokerMigrations } from './schema.ts';

/** Also how long an id is remembered: a relay that died before it could note what it had published repeats within seconds. */
const KEEP_EVENTS_HOURS = 1;
const PRUNE_BATCH = 1000;
const CHANNEL = 'talaria_broker';
/** Each statement is short; the default of ten for each service would waste the server's limit. */
const MOST_CONNECTIONS = 5;
const SETTINGS = ['BROKER_URL', 'DATABASE_URL'];

/** A broker in tables of PostgreSQL: BROKER_URL, else a database `broker` on the server of DATABASE_URL. */
export function postgresBroker(): Broker {
  const store = postgres<Record<string, never>>({ database: 'broker', settings: SETTINGS, pool: { max: MOST_CONNECTIONS } });
  const { db } = store;
  const interested = new Map<() => void, string>();
  let started = false;
  let stopListening: (() => Promise<void>) | undefined;
  const notify = (group: string | undefined): void => {
    for (const [wake, of] of interested) if (group === undefined || group === of) wake();
  };
  return {
    async start(host, signal) {
      await store.start(host, signal);
      await untilReachable(() => store.migrate('broker', brokerMigrations), signal);
      started = true;
    },
    async stop() {
      interested.clear();
      await stopListening?.();
      stopListening = undefined;
      await store.stop();
    },
    onDue(group, wake) {
      interested.set(wake, group);
      // Services that only publish need no connection for it.
      if (started) stopListening ??= store.listen(CHANNEL, notify);
      return () => interested.delete(wake);
    },
    async publish(envelopes) {
      if (envelopes.length === 0) return;
      await sql`
        with fresh as (
          insert into broker_events (id, type, envelope)
          select each ->> 'id', each ->> 'type', each from jsonb_array_elements(${JSON.stringify(envelopes)}::jsonb) each
          on conflict (id) do nothing
          returning id, type
        ), added as (
          insert into broker_deliveries (subscriber, event_id)
          select subscriber, id from fresh join broker_subscriptions using (type)
          returning subscriber
        )
        select pg_notify(${CHANNEL}, subscriber) from (select distinct subscriber from added) groups`.execute(db);
    },
    async subscribe(group, types) {
      await sql`
        insert into broker_subscriptions (subscriber, type)
        select ${group}, type from jsonb_array_elements_text(${JSON.stringify(types)}::jsonb) type
        on conflict do nothing`.execute(db);
    },
    async take(group, { most, holdMs }) {
      const receipt = randomUUID();
      const { rows } = await sql<{ envelope: Envelope; attempt: number }>`
        with chosen as (
          select event_id from broker_deliveries
          where subscriber = ${group} and dead is null and due <= now() and (taken_until is null or taken_until <= now())
          order by due limit ${most} for update skip locked
        )
        update broker_deliveries set attempts = attempts + 1, receipt = ${receipt}, taken_until = now() + ${holdMs} * interval '1 millisecond'
        from broker_events
        where subscriber = ${group} and event_id in (select event_id from chosen) and broker_events.id = event_id
        returning envelope, attempts as attempt`.execute(db);
      return rows.map(({ envelope, attempt }) => ({ envelope, attempt, receipt }));
    },
    async extend(group, { envelope, receipt }, holdMs) {
      const { numAffectedRows = 0n } = await sql`
        update broker_deliveries set taken_until = now() + ${holdMs} * interval '1 millisecond'
        where subscriber = ${group} and event_id = ${envelope.id} and receipt = ${receipt}`.execute(db);
      return numAffectedRows > 0n;
    },
    async acknowledge(group, { envelope, receipt }) {
      await sql`delete from broker_deliveries where subscriber = ${group} and event_id = ${envelope.id} and receipt = ${receipt}`.execute(db);
    },
    async reject(group, { envelope, receipt }, error, retryInMs) {
      await sql`
        update broker_deliveries
        set due = now() + ${retryInMs ?? 0} * interval '1 millisecond', taken_until = null, receipt = null, last_error = ${error},
          dead = case when ${retryInMs === undefined} then now() end
        where subscriber = ${group} and event_id = ${envelope.id} and receipt = ${receipt}`.execute(db);
    },
    async deadLetters(group, limit) {
      const { rows } = await sql<Omit<DeadLetter, 'since'> & { since: Date }>`
        select subscriber as group, envelope, attempts, coalesce(last_error, '') as error, dead as since
        from broker_deliveries join broker_events on broker_events.id = event_id
        where subscriber = ${group} and dead is not null order by dead limit ${limit}`.execute(db);
      return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
    },
    async requeue(group, eventId) {
      const { numAffectedRows = 0n } = await sql`
        update broker_deliveries set dead = null, attempts = 0, due = now(), taken_until = null
        where subscriber = ${group} and dead is not null and (${eventId ?? null}::text is null or event_id = ${eventId ?? null})`.execute(db);
      return Number(numAffectedRows);
    },
    async prune() {
      const { numAffectedRows = 0n } = await sql`
        delete from broker_events where id in (
          select id from broker_events
          where published < now() - ${KEEP_EVENTS_HOURS} * interval '1 hour' and not exists (select from broker_deliveries where event_id = id)
          order by published limit ${PRUNE_BATCH} for update skip locked)`.execute(db);
      return numAffectedRows === BigInt(PRUNE_BATCH);
    },
  } satisfies Broker;
}
