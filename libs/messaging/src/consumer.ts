import { sleep, type Logger } from '@talaria/base';
import { runInCall } from '@talaria/context';
import { sql, untilReachable, type Postgres } from '@talaria/storage';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Broker, Taken } from './broker.ts';
import type { Envelope } from './envelope.ts';
import { startLoop, type Loop } from './loop.ts';
import { contextOf } from './propagation.ts';

/** Handles an event, inside a transaction of the service's database; throwing undoes it, and it is tried again later. */
export type EventHandler = (event: Envelope, delivery: { readonly attempt: number }) => Promise<void>;

/** One group's interest in some types. */
export interface Subscription {
  readonly group: string;
  readonly types: readonly string[];
  readonly handler: EventHandler;
  readonly concurrency: number;
}

/** What a dead instance had taken is due again after this; below the 30 s that anybody may wait. Handlers extend it. */
const HOLD_MS = 20_000;
const EXTEND_EVERY_MS = 5_000;
/** How long one attempt may take. */
const HANDLER_LIMIT_MS = 60_000;
/** For what no hint told of: retries, what dead instances held, and hints that were lost. */
const POLL_MS = 500;
/** How long a stop lets handlers go on; a service gives its messaging one second. */
const DRAIN_MS = 400;
/** With the pauses below, about 15 hours. */
const MOST_ATTEMPTS = 20;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 4 * 60 * 60 * 1000;

/** The pause after attempt `attempt` failed, in ms: doubling, the upper half of it random; undefined after the last. */
export function retryDelay(attempt: number, random: () => number = Math.random): number | undefined {
  if (attempt >= MOST_ATTEMPTS) return undefined;
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS) * (0.5 + random() / 2);
}

/** What a consumer works with. */
export interface ConsumerParts {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever tables the service keeps besides
  readonly storage: Postgres<any>;
  readonly broker: Broker;
  readonly log: Logger;
  readonly subscription: Subscription;
}

/** The effect and the note that it happened are one transaction: an event that comes again has no second effect. */
async function handleOnce({ storage, subscription: { group, handler } }: ConsumerParts, { envelope, attempt }: Taken): Promise<void> {
  await storage.transaction(async () => {
    const { rows } = await sql`
      insert into messaging_inbox (subscriber, event_id) values (${group}, ${envelope.id}) on conflict do nothing returning event_id`.execute(storage.db);
    if (rows.length > 0) await handler(envelope, { attempt });
  });
}

/** What never got as far as failing: the process ended during each attempt. */
const ENDED_EACH_TIME = 'Each attempt ended without an outcome: the process died, or was stopped for long.';

/** A broker that restarts meanwhile must not cost the rest of the hold. */
const untilNoted = (note: () => Promise<void>): Promise<void> => untilReachable(note, AbortSignal.timeout(HOLD_MS));

/** One attempt, as a call of its own that continues the trace of what caused the event. */
async function attempt(parts: ConsumerParts, taken: Taken, stopping: AbortSignal): Promise<void> {
  const { broker, log, subscription } = parts;
  const { envelope } = taken;
  const facts = { event_id: envelope.id, event_type: envelope.type, group: subscription.group, attempt: taken.attempt };
  if (taken.attempt > MOST_ATTEMPTS) {
    log.warn('event failed too often: kept as a dead letter', { ...facts, reason: ENDED_EACH_TIME });
    await broker.reject(subscription.group, taken, ENDED_EACH_TIME, undefined);
    return;
  }
  const parent = contextOf(envelope);
  const attributes = { 'messaging.system': 'talaria', 'messaging.operation.type': 'process', 'messaging.message.id': envelope.id, 'messaging.destination.name': envelope.type };
  const span = trace.getTracer('@talaria/messaging').startSpan(`process ${envelope.type}`, { kind: SpanKind.CONSUMER, attributes }, parent);
  const limit = AbortSignal.any([AbortSignal.timeout(HANDLER_LIMIT_MS), stopping]);
  const extending = setInterval(() => {
    // A handler that goes on past its limit loses its hold: another instance takes the event.
    if (!limit.aborted) void broker.extend(subscription.group, taken, HOLD_MS).catch(() => {});
  }, EXTEND_EVERY_MS);
  try {
    await context.with(trace.setSpan(parent, span), () =>
      runInCall({ requestId: envelope.id, deadline: performance.now() + HANDLER_LIMIT_MS, signal: limit }, () => handleOnce(parts, taken)),
    );
    await untilNoted(() => broker.acknowledge(subscription.group, taken));
    log.debug('event handled', facts);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    // What a stop broke off is for the next instance, at once.
    const retryInMs = stopping.aborted ? 0 : retryDelay(taken.attempt);
    log.warn(retryInMs === undefined ? 'event failed too often: kept as a dead letter' : 'event failed, and is tried again', { ...facts, retry_in_ms: retryInMs ?? null, err: error });
    await untilNoted(() => broker.reject(subscription.group, taken, error instanceof Error ? error.message : String(error), retryInMs));
  } finally {
    clearInterval(extending);
    span.end();
  }
}

/** Takes what is due for a group and handles it, `concurrency` at a time. Stopping waits a little, then breaks off what still runs. */
export function startConsumer(parts: ConsumerParts): Loop {
  const { broker, log, subscription } = parts;
  const running = new Set<Promise<void>>();
  const ending = new AbortController();
  const turn = async (): Promise<boolean> => {
    const most = subscription.concurrency - running.size;
    const taken = most > 0 ? await broker.take(subscription.group, { most, holdMs: HOLD_MS }) : [];
    for (const each of taken) {
      const run = attempt(parts, each, ending.signal)
        // What cannot be noted is due again when its hold ends.
        .catch((error: unknown) => log.warn('the outcome of an event could not be noted', { event_id: each.envelope.id, err: error }))
        .finally(() => {
          running.delete(run);
          loop.wake();
        });
      running.add(run);
    }
    return taken.length > 0 && running.size < subscription.concurrency;
  };
  const loop = startLoop(`the consumer of ${subscription.group}`, { turn, pollMs: POLL_MS, log });
  const stopHearing = broker.onDue(subscription.group, loop.wake);
  return {
    wake: loop.wake,
    async stop() {
      stopHearing();
      await loop.stop();
      await atMost(DRAIN_MS, Promise.all(running));
      ending.abort(new Error('The service stops.'));
      await atMost(DRAIN_MS, Promise.all(running));
    },
  };
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, sleep(ms, { signal: limit.signal }).catch(() => {})]);
  limit.abort();
}
