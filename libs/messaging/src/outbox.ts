import { sql, type Postgres } from '@talaria/storage';
import type { Envelope } from './envelope.ts';

/** Of any service. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever tables the service keeps besides
export type AnyPostgres = Postgres<any>;

/** Notes an envelope in the database transaction that is open. */
export async function writeToOutbox({ db }: AnyPostgres, envelope: Envelope): Promise<void> {
  await sql`insert into messaging_outbox (envelope) values (${JSON.stringify(envelope)}::jsonb)`.execute(db);
}

/** Notes, in the database transaction that is open, that an event of this id is published; false if one was before. */
export async function isFirst({ db }: AnyPostgres, id: string): Promise<boolean> {
  const { rows } = await sql`insert into messaging_published (event_id) values (${id}) on conflict do nothing returning event_id`.execute(db);
  return rows.length > 0;
}

/** How many envelopes wait to be relayed. */
export async function outboxSize({ db }: AnyPostgres): Promise<number> {
  const { rows } = await sql<{ waiting: number }>`select count(*)::int4 as waiting from messaging_outbox`.execute(db);
  return rows[0]?.waiting ?? 0;
}
