import { sql, type Kysely, type Migrations } from '@talaria/storage';

/** Of the broker's database. The names have a prefix, because the database may be a service's own. */
export const brokerMigrations: Migrations = {
  '001_broker': {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`create table broker_events (id text primary key, type text not null, envelope jsonb not null, published timestamptz not null default now())`.execute(db);
      await sql`create index broker_events_by_age on broker_events (published)`.execute(db);
      await sql`create table broker_subscriptions (subscriber text not null, type text not null, primary key (subscriber, type))`.execute(db);
      await sql`create table broker_deliveries (
        subscriber text not null,
        event_id text not null references broker_events (id),
        attempts int4 not null default 0,
        due timestamptz not null default now(),
        taken_until timestamptz,
        receipt text,
        dead timestamptz,
        last_error text,
        primary key (subscriber, event_id))`.execute(db);
      await sql`create index broker_deliveries_due on broker_deliveries (subscriber, due) where dead is null`.execute(db);
      await sql`create index broker_deliveries_by_event on broker_deliveries (event_id)`.execute(db);
    },
  },
};

/** Of the databases of services that publish or subscribe. */
export const serviceMigrations: Migrations = {
  '001_messaging': {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`create table messaging_outbox (position bigserial primary key, envelope jsonb not null)`.execute(db);
      await sql`create table messaging_inbox (subscriber text not null, event_id text not null, handled timestamptz not null default now(), primary key (subscriber, event_id))`.execute(db);
      await sql`create index messaging_inbox_by_age on messaging_inbox (handled)`.execute(db);
    },
  },
  '002_published_once': {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`create table messaging_published (event_id text primary key, published timestamptz not null default now())`.execute(db);
    },
  },
};
