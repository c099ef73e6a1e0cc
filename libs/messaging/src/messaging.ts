import { newId, type Capability, type Checker, type Logger } from '@talaria/base';
import { sql, untilReachable, type Postgres } from '@talaria/storage';
import type { Broker, DeadLetter } from './broker.ts';
import { startConsumer, type EventHandler, type Subscription } from './consumer.ts';
import { checkType, type Envelope } from './envelope.ts';
import { startLoop, type Loop } from './loop.ts';
import { isFirst, outboxSize, writeToOutbox } from './outbox.ts';
import { postgresBroker } from './postgres/postgres-broker.ts';
import { serviceMigrations } from './postgres/schema.ts';
import { capturedContext } from './propagation.ts';
import { startRelay, type Relay } from './relay.ts';

/** How messaging is made. */
export interface MessagingOptions {
  /** The service's own database: outbox and inbox are tables in it. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever tables the service keeps besides
  readonly storage: Postgres<any>;
  /** Default: tables in PostgreSQL (BROKER_URL, else a database `broker` on the server of DATABASE_URL). */
  readonly broker?: Broker;
}

/** Events of a service: a capability for `createService({ messaging })`. */
export interface Messaging extends Capability {
  /**
   * Publishes an event if, and only if, the transaction that is open commits. Throws outside of `storage.transaction`.
   * `data` is JSON (no bigint). It is delivered at least once, to each group that subscribes to the type.
   */
  publish(type: string, event: { readonly subject: string; readonly data: unknown; readonly id?: string }): Promise<Envelope>;
  /**
   * Publishes an event unless this service has published one with this id before, however long ago: it keeps the ids. Within a
   * transaction that is open, or in one of its own. Answers undefined for one that was published before.
   */
  publishOnce(type: string, event: { readonly subject: string; readonly data: unknown; readonly id: string }): Promise<Envelope | undefined>;
  /**
   * Handles events of a type. Before `start`. `group` (default: the service's name) shares the work: each event goes to one
   * of its instances. `concurrency` is for this instance, default 16.
   */
  subscribe(type: string | readonly string[], handler: EventHandler, options?: { readonly group?: string; readonly concurrency?: number }): void;
  /** What failed too often and is kept, the oldest first. */
  deadLetters(options?: { readonly group?: string; readonly limit?: number }): Promise<DeadLetter[]>;
  /** Tries dead letters again: all, or one. Answers how many. */
  requeue(options?: { readonly group?: string; readonly eventId?: string }): Promise<number>;
}

const DEFAULT_CONCURRENCY = 16;
const PRUNE_EVERY_MS = 60_000;
/** Far longer than a broker may deliver again what was handled. */
const KEEP_INBOX_DAYS = 7;
const PRUNE_BATCH = 1000;
const SHOWN_DEAD_LETTERS = 100;

/** Makes the events of a service. */
export function messaging({ storage, broker = postgresBroker() }: MessagingOptions): Messaging {
  const asked: (Omit<Subscription, 'group'> & { readonly group: string | undefined })[] = [];
  let service = 'unknown';
  let loops: Pick<Loop, 'stop'>[] = [];
  let relay: Relay | undefined;

  const groups = (): string[] => [...new Set(asked.map(({ group }) => group ?? service))];
  async function prune(): Promise<boolean> {
    const more = await broker.prune();
    const { numAffectedRows = 0n } = await sql`
      delete from messaging_inbox where (subscriber, event_id) in (
        select subscriber, event_id from messaging_inbox where handled < now() - ${KEEP_INBOX_DAYS} * interval '1 day' limit ${PRUNE_BATCH})`.execute(storage.db);
    return more || numAffectedRows === BigInt(PRUNE_BATCH);
  }
  const outbox: Checker = { name: 'outbox', check: async () => ({ waiting: await outboxSize(storage) }) };
  const letters: Checker = {
    name: 'dead letters',
    async check() {
      const found = (await Promise.all(groups().map((group) => broker.deadLetters(group, SHOWN_DEAD_LETTERS)))).flat();
      if (found.length > 0) throw new Error(`${found.length} events failed too often; the last error: ${found.at(-1)?.error}`);
      return { count: 0 };
    },
  };

  const own: Messaging = {
    name: 'messaging',
    checkers: [outbox, letters],
    async start(host, signal) {
      service = host.service;
      await broker.start(host, signal);
      await untilReachable(() => storage.migrate('messaging', serviceMigrations), signal);
      const subscriptions = asked.map((each): Subscription => ({ ...each, group: each.group ?? service }));
      const byGroup = Map.groupBy(subscriptions, ({ group }) => group);
      for (const [group, all] of byGroup) await untilReachable(() => broker.subscribe(group, all.flatMap(({ types }) => types)), signal);
      const log: Logger = host.log;
      relay = startRelay({ storage, broker, log, elections: host.elections });
      loops = [relay, startLoop('the pruning of events', { turn: prune, pollMs: PRUNE_EVERY_MS, log })];
      for (const [group, all] of byGroup) loops.push(startConsumer({ storage, broker, log, subscription: merged(group, all) }));
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      loops = [];
      await broker.stop();
    },
    async publish(type, { subject, data, id = newId('evt') }) {
      checkType(type);
      if (!storage.inTransaction) throw new Error('publish() belongs inside storage.transaction(): the event goes out if, and only if, the change is kept.');
      const envelope: Envelope = { id, type, time: new Date().toISOString(), source: service, subject, data, ...capturedContext() };
      await writeToOutbox(storage, envelope);
      storage.afterCommit(() => relay?.wake());
      return envelope;
    },
    async publishOnce(type, event) {
      checkType(type);
      const publishNew = async (): Promise<Envelope | undefined> => ((await isFirst(storage, event.id)) ? own.publish(type, event) : undefined);
      return storage.transaction(publishNew);
    },
    subscribe(type, handler, { group, concurrency = DEFAULT_CONCURRENCY } = {}) {
      const types = [type].flat();
      types.forEach(checkType);
      for (const each of types) {
        if (asked.some((other) => other.group === group && other.types.includes(each))) {
          throw new Error(`${each} has a handler in this group already: give one of them a group of its own.`);
        }
      }
      asked.push({ group, types, handler, concurrency });
    },
    async deadLetters({ group = service, limit = SHOWN_DEAD_LETTERS } = {}) {
      return broker.deadLetters(group, limit);
    },
    requeue: ({ group = service, eventId } = {}) => broker.requeue(group, eventId),
  };
  return own;
}

/** A group takes whatever is due, so its subscriptions are one consumer that hands each event to the handler of its type. */
function merged(group: string, all: readonly Subscription[]): Subscription {
  const handlers = new Map(all.flatMap(({ types, handler }) => types.map((type) => [type, handler] as const)));
  return {
    group,
    types: [...handlers.keys()],
    concurrency: Math.max(...all.map(({ concurrency }) => concurrency)),
    async handler(event, delivery) {
      const handler = handlers.get(event.type);
      // Another version of this service may have subscribed to more: its instances will handle it.
      if (!handler) throw new Error(`This instance does not handle ${event.type}.`);
      await handler(event, delivery);
    },
  };
}

