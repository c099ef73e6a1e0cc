import { createHash } from 'node:crypto';
import { sleep, systemClock, type Logger } from '@talaria/base';
import { detached, runInCall } from '@talaria/context';
import type { Assigned } from './evaluator.ts';

/** The type of the events. */
export const EXPOSED = 'experiment.exposed';

/** Where exposures are told: `messaging` of `@talaria/messaging`, which keeps in the service's own database what it has published. */
export interface ExposureSink {
  /** Publishes an event, unless one with this id was published by this service before. */
  publishOnce(type: string, event: { readonly id: string; readonly subject: string; readonly data: unknown }): Promise<unknown>;
}

/** The data of an event `experiment.exposed`: that a subject got to see a variant, for the first time. */
export interface ExposureData {
  /** Also the name of the flag. */
  readonly experiment: string;
  readonly variant: string;
  /** What `subject` is: `customer`, `account` or `device`. */
  readonly key: string;
  readonly subject: string;
  /** The experiment's salt: tells its runs apart. */
  readonly run: string;
  /** RFC 3339, UTC. */
  readonly exposed: string;
}

/** Tells a sink of exposures, behind the back of the calls in which they happen. */
export interface Exposures {
  add(assigned: Assigned): void;
  /** Resolves when all are told, or `limitMs` is over; then the rest are told the next time that they happen. */
  stop(limitMs: number): Promise<void>;
}

/** How many are known to be told without asking the database. */
const REMEMBERED = 100_000;
/** How many may wait while the database is away. */
const MOST_WAITING = 10_000;
const AT_ONCE = 8;
const LIMIT_MS = 10_000;
const LONGEST_PAUSE_MS = 5_000;

/** The same for every service and instance that sees the same: whoever gets it twice can tell. */
function idOf({ experiment, salt, key, subject, variant }: Assigned): string {
  return `exposure_${createHash('sha256').update(JSON.stringify([experiment, salt, key, subject, variant])).digest('base64url').slice(0, 32)}`;
}

/** Makes them. */
export function createExposures(sink: ExposureSink, log: Logger): Exposures {
  const told = new Set<string>();
  const waiting = new Map<string, ExposureData>();
  const stopping = new AbortController();
  let working: Promise<void> | undefined;
  let failing = false;
  let full = false;

  const publish = async ([id, data]: [string, ExposureData]): Promise<void> => {
    await runInCall({ deadline: systemClock.monotonic() + LIMIT_MS }, () => sink.publishOnce(EXPOSED, { id, subject: data.subject, data }));
    waiting.delete(id);
    full = false;
  };

  const work = async (): Promise<void> => {
    let failures = 0;
    while (waiting.size > 0 && !stopping.signal.aborted) {
      const outcomes = await Promise.allSettled([...waiting.entries().take(AT_ONCE)].map(publish));
      const failed = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
      if (failed) {
        if (!failing) log.warn('exposures cannot be published now, trying on', { waiting: waiting.size, err: failed.reason as unknown });
        await sleep(Math.min(100 * 2 ** failures++, LONGEST_PAUSE_MS), { signal: stopping.signal }).catch(() => {});
      } else failures = 0;
      failing = failed !== undefined;
    }
    working = undefined;
  };

  return {
    add(assigned) {
      const { experiment, variant, key, subject, salt } = assigned;
      const seen = `${experiment}\n${salt}\n${variant}\n${key}\n${subject}`;
      if (told.has(seen) || stopping.signal.aborted) return;
      if (waiting.size >= MOST_WAITING) {
        if (!full) log.warn('too many exposures wait to be published: those that come now are told when they happen again', { waiting: waiting.size });
        full = true;
        return;
      }
      if (told.size >= REMEMBERED) told.clear();
      told.add(seen);
      waiting.set(idOf(assigned), { experiment, variant, key, subject, run: salt, exposed: new Date().toISOString() });
      working ??= detached(work);
    },
    async stop(limitMs) {
      const limit = new AbortController();
      await Promise.race([working, sleep(limitMs, { signal: limit.signal }).catch(() => {})]);
      limit.abort();
      stopping.abort();
      if (waiting.size > 0) log.warn('exposures were not published before the stop: they are when they happen again', { waiting: waiting.size });
    },
  };
}
