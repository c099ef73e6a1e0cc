import type { Logger } from '@talaria/base';
import { currentClock, runInCall } from '@talaria/context';
import { sql, type Postgres } from '@talaria/storage';
import type { Broker } from './broker.ts';
import type { Envelope } from './envelope.ts';
import { startLoop, type Loop } from './loop.ts';

const BATCH = 100;
/** How long a broker may take for a batch: meanwhile the rows are locked, and others pass them over. */
const PUBLISH_LIMIT_MS = 10_000;
/** For what another instance wrote, or this one before it died; its own writes wake the relay. */
const POLL_MS = 500;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever tables the service keeps besides
type AnyPostgres = Postgres<any>;

/** Notes an envelope in the database transaction that is open. */
export async function writeToOutbox({ db }: AnyPostgres, envelope: Envelope): Promise<void> {
  await sql`insert into messaging_outbox (envelope) values (${JSON.stringify(envelope)}::jsonb)`.execute(db);
}

/** Notes, in the database transaction that is open, that an event of this id is published; false if one was before. */
export async function isFirst({ db }: AnyPostgres, id: string): Promise<boolean> {
  const { rows } = await sql`insert into messaging_published (event_id) values (${id}) on conflict do nothing returning event_id`.execute(db);
  return rows.length > 0;
}

/**
 * Moves what is in the outbox to the broker, in order, at least once. Instances share the work: a row that one has locked is
 * passed over by the others, and free again when it dies.
 */
export function startRelay({ storage, broker, log }: { readonly storage: AnyPostgres; readonly broker: Broker; readonly log: Logger }): Loop {
  const turn = (): Promise<boolean> =>
    storage.transaction(async () => {
      const { rows } = await sql<{ position: bigint; envelope: Envelope }>`
        select position, envelope from messaging_outbox order by position limit ${BATCH} for update skip locked`.execute(storage.db);
      if (rows.length === 0) return false;
      await runInCall({ deadline: currentClock().monotonic() + PUBLISH_LIMIT_MS }, () => broker.publish(rows.map(({ envelope }) => envelope)));
      const positions = rows.map(({ position }) => position.toString());
      await sql`delete from messaging_outbox where position in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(positions)}::jsonb) value)`.execute(storage.db);
      return rows.length === BATCH;
    });
  return startLoop('the relay from outbox to broker', { turn, pollMs: POLL_MS, log });
}

/** How many envelopes wait to be relayed. */
export async function outboxSize({ db }: AnyPostgres): Promise<number> {
  const { rows } = await sql<{ waiting: number }>`select count(*)::int4 as waiting from messaging_outbox`.execute(db);
  return rows[0]?.waiting ?? 0;
}
