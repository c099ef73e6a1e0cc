import { sleep, systemClock, type Elections, type Leadership, type Logger } from '@talaria/base';
import { currentClock, detached, runFenced, runInCall } from '@talaria/context';
import { sql } from '@talaria/storage';
import type { Broker } from './broker.ts';
import type { Envelope } from './envelope.ts';
import { startLoop } from './loop.ts';
import type { AnyPostgres } from './outbox.ts';

const BATCH = 100;
/** How long a broker may take for a batch. */
const PUBLISH_LIMIT_MS = 10_000;
/** A relay that sleeps with its transaction open for longer than it may take is ended by the server, in ms. */
const ASLEEP_MS = 15_000;
/** For what no hint told of. */
const POLL_MS = 500;
/** Another instance leads, or nobody, and what comes next has not moved for this long: then whoever can relays, in ms. */
const STUCK_MS = 2_000;
/** Before an election that failed is held again, in ms. */
const ELECTION_PAUSE_MS = 1_000;
/** What nobody else's election in the service is called. */
const ELECTION = 'messaging.outbox';
/** Wakes the leader for what another instance wrote. */
const CHANNEL = 'talaria_outbox';
/** Of the database; any number that others do not use. */
const LOCK = '8390876206419259233';

/** What a relay works with. */
export interface RelayParts {
  readonly storage: AnyPostgres;
  readonly broker: Broker;
  readonly log: Logger;
  /** Undefined: every instance relays when it can. */
  readonly elections: Elections | undefined;
}

/** Moves what is in the outbox to the broker. */
export interface Relay {
  /** This instance has published. */
  wake(): void;
  stop(): Promise<void>;
}

/**
 * Moves what is in the outbox to the broker, in order, at least once. The instance that leads does it; while etcd is away, or the
 * leader does not get on, another one does. A lock in the database, for as long as a batch takes, keeps it to one at a time, so
 * that leading is a matter of who should, and never of what goes wrong.
 */
export function startRelay({ storage, broker, log, elections }: RelayParts): Relay {
  const stopping = new AbortController();
  const progress = createProgress(storage);
  let leadership: Leadership | undefined;
  let published = false;

  const batch = (): Promise<boolean> =>
    storage.transaction(async () => {
      const { rows: lock } = await sql<{ mine: boolean }>`
        select pg_try_advisory_xact_lock(${LOCK}::int8) as mine, set_config('idle_in_transaction_session_timeout', ${String(ASLEEP_MS)}, true)`.execute(storage.db);
      if (!lock[0]?.mine) return false;
      const { rows } = await sql<{ position: bigint; envelope: Envelope }>`
        select position, envelope from messaging_outbox order by position limit ${BATCH} for update skip locked`.execute(storage.db);
      if (rows.length === 0) return false;
      await runInCall({ deadline: currentClock().monotonic() + PUBLISH_LIMIT_MS }, () => broker.publish(rows.map(({ envelope }) => envelope)));
      const positions = rows.map(({ position }) => position.toString());
      await sql`delete from messaging_outbox where position in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(positions)}::jsonb) value)`.execute(storage.db);
      return rows.length === BATCH;
    });

  const lead = async (by: Leadership): Promise<boolean> => {
    try {
      return await runFenced(by, batch);
    } catch (error) {
      if (by.isHeld()) throw error;
      log.debug('the relay from outbox to broker goes on in another instance', { reason: (error as Error).message });
      return false;
    }
  };
  /** For another one to do, unless it does not. */
  const follow = async (): Promise<boolean> => {
    if (elections?.away.get() !== false || (await progress.isStuck())) return batch();
    if (published) await sql`select pg_notify(${CHANNEL}, '')`.execute(storage.db);
    published = false;
    return false;
  };
  const loop = startLoop('the relay from outbox to broker', { turn: () => (leadership?.isHeld() ? lead(leadership) : follow()), pollMs: POLL_MS, log });

  const stand = async (candidates: Elections): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        leadership = await candidates.campaign(ELECTION, stopping.signal);
      } catch {
        await sleep(ELECTION_PAUSE_MS, { signal: stopping.signal }).catch(() => {});
        continue;
      }
      const stopListening = storage.listen(CHANNEL, loop.wake);
      loop.wake();
      await aborted(AbortSignal.any([leadership.lost, stopping.signal]));
      await stopListening();
      await leadership.resign();
    }
  };
  const standing = elections && detached(() => stand(elections));

  return {
    wake() {
      published = true;
      loop.wake();
    },
    async stop() {
      // First, so that nobody else begins before this one has ended.
      await loop.stop();
      stopping.abort(new Error('The service stops.'));
      await standing;
    },
  };
}

/** Tells whether what comes next in the outbox stays there. */
function createProgress(storage: AnyPostgres): { isStuck(): Promise<boolean> } {
  let next: bigint | undefined;
  let since = 0;
  let stuck = false;
  return {
    async isStuck() {
      const { rows } = await sql<{ next: bigint | null }>`select min(position) as next from messaging_outbox`.execute(storage.db);
      const now = systemClock.monotonic();
      const found = rows[0]?.next ?? undefined;
      // Once stuck, until there is nothing left: not every batch has to wait.
      if (found === undefined) stuck = false;
      else if (found !== next) since = now;
      else if (now - since >= STUCK_MS) stuck = true;
      next = found;
      return stuck;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
