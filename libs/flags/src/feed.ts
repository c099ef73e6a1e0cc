import { sleep, type Logger } from '@talaria/base';
import type { Catalog } from './catalog.ts';
import type { LastKnownGood } from './last-known-good.ts';
import type { FlagSource } from './source.ts';

/** What is known: nothing yet; everything; what was known before the source went away; or nothing, and it is away. */
export type FeedState = 'waiting' | 'current' | 'stale' | 'unknown';

/** What keeps a catalog up to date. */
export interface Feed {
  readonly state: FeedState;
  stop(): void;
}

/** What a feed works with. */
export interface FeedOptions {
  readonly catalog: Catalog;
  readonly source: FlagSource;
  /** For a start while the source is away, and for documents that are bad when it starts. Default: nothing is kept. */
  readonly kept?: LastKnownGood | undefined;
  readonly log: Logger;
  /** How long to wait for the source, in ms, before going on without. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Called when the state changes, and when flags may answer otherwise. */
  readonly onState: (state: FeedState) => void;
  /** Called with the names of flags that may answer otherwise than before. */
  readonly onChange: (flags: readonly string[]) => void;
}

/** Starts it; resolves when flags are known, or when there was no waiting for them any longer. */
export async function startFeed({ catalog, source, kept, log, patienceMs, signal, onState, onChange }: FeedOptions): Promise<Feed> {
  let state: FeedState = 'waiting';
  const listed = Promise.withResolvers<void>();
  const become = (next: FeedState): void => {
    if (state === next) return;
    state = next;
    onState(next);
  };
  const onDisk = await kept?.read();
  // What was deleted meanwhile goes with the first listing.
  if (onDisk) catalog.apply(onDisk);

  const stopDocuments = source.watch((documents) => {
    const before = state;
    const changed = catalog.apply(documents);
    void kept?.write(catalog.good);
    become('current');
    listed.resolve();
    if (changed.length > 0 && before !== 'waiting') onChange(changed);
  });
  // That it is back is known by what it lists then.
  const stopReachable = source.reachable.onChange((reachable) => {
    if (!reachable && state === 'current') become('stale');
  });

  const waiting = new AbortController();
  await Promise.race([listed.promise, sleep(patienceMs, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => {})]);
  waiting.abort();
  if (state === 'waiting') {
    const { flags, experiments } = catalog.snapshot;
    if (onDisk) log.warn('flags cannot be asked for: starting with those that were last known, until they can', { source: source.name, flags: flags.size, experiments: experiments.size });
    else log.warn('flags cannot be asked for, and none are known from before: each answers its default until they can', { source: source.name });
    become(onDisk ? 'stale' : 'unknown');
  }
  return {
    get state() {
      return state;
    },
    stop() {
      stopDocuments();
      stopReachable();
    },
  };
}
