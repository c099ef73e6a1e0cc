import type { Logger } from '@talaria/base';
import { isLiveSettingName, TEMPORARY_SUFFIX, type ConfigReader, type TargetPath } from '../setting-names.ts';
import type { ConfigSource, RawChange, RawEntry } from './config-source.ts';
import type { KnownTarget, StoreMark } from './last-known-good.ts';
import { createTargetState, type TargetState } from './target-state.ts';

/** One target, kept up to date. */
export interface TargetFollower {
  readonly path: TargetPath;
  readonly state: TargetState;
  /** Whether the store has answered. */
  readonly answered: boolean;
  /** Why the store, which is there, does not show it now; undefined if it does. */
  readonly refused: string | undefined;
  /** By what the store is known again. */
  readonly mark: StoreMark | undefined;
  load(known: KnownTarget): void;
  follow(): void;
  /** The settings were published: from now on the store can be known again. Calls `onMark` if so. */
  published(onMark: () => void): void;
  close(): void;
}

/** What is followed, and who wants to know. */
export interface TargetFollowerOptions {
  readonly path: TargetPath;
  readonly source: ConfigSource;
  readonly reader: Pick<ConfigReader, 'service' | 'version'>;
  readonly log: Logger;
  /** Called after every step; each revision is one. */
  onChange(): void;
}

const isName = (name: string): boolean => isLiveSettingName(name.endsWith(TEMPORARY_SUFFIX) ? name.slice(0, -TEMPORARY_SUFFIX.length) : name);

function byRevision(changes: readonly RawChange[]): readonly (readonly RawChange[])[] {
  const groups = new Map<bigint, RawChange[]>();
  for (const change of changes) groups.set(change.revision, [...(groups.get(change.revision) ?? []), change]);
  return [...groups.values()];
}

/** Follows a target, and tells what was removed from what its store has lost. */
export function createTargetFollower({ path, source, reader: { service, version }, log, onChange }: TargetFollowerOptions): TargetFollower {
  const state = createTargetState();
  const steps: (() => void | Promise<void>)[] = [];
  let running = false;
  let answered = false;
  let refused: string | undefined;
  let mark: StoreMark | undefined;
  let stop = (): void => {};
  let closed = false;

  const later = (step: () => void | Promise<void>): void => {
    steps.push(step);
    if (!running) void run();
  };
  /** In order, since a listing may have to be asked about. Goes on at once where nothing is. */
  const run = async (): Promise<void> => {
    running = true;
    for (let step = steps.shift(); step && !closed; step = steps.shift()) {
      try {
        const pending = step();
        if (pending) await pending;
      } catch (err) {
        log.error('settings could not be followed for a moment', { target: path, err });
      }
    }
    running = false;
  };

  /** Whether the store is another one than before, or an older state of it. */
  const isReplaced = (entries: ReadonlyMap<string, RawEntry>, revision: bigint, markNow: string | undefined): boolean => {
    if (revision < state.revision || (mark && markNow !== mark.id)) return true;
    return [...state.stored].some(([name, known]) => !state.lost.has(name) && (entries.get(name)?.revision ?? known.revision) < known.revision);
  };

  const onSnapshot = async (listed: ReadonlyMap<string, RawEntry>, revision: bigint): Promise<void> => {
    const entries = new Map([...listed].filter(([name]) => isName(name)));
    let own: string | undefined;
    let known: string | undefined;
    try {
      own = await source.mark(service, version);
      known = mark && mark.version !== version ? await source.mark(service, mark.version) : own;
    } catch {
      // Out of reach again: everything is listed anew when it is back.
      return;
    }
    if (closed) return;
    const missing = state.missing(entries);
    let lost: readonly string[] = [];
    if (isReplaced(entries, revision, known)) {
      const survives = [...state.stored].some(([name, { createRevision }]) => entries.get(name)?.createRevision === createRevision);
      if (!survives) lost = missing;
      if (missing.length > 0) {
        const what = survives
          ? 'the store of settings went back to an older state, as from a backup: going by that. Look whether it is what you want: talaria config history'
          : 'the store has lost settings, or is another one: they stay in force. Write them again (talaria config set), or set and unset those that are not wanted';
        log.error(what, { target: path, settings: missing, revision: String(revision), before: String(state.revision) });
      } else if (survives) log.warn('the store of settings went back to an older state, as from a backup: going by that', { target: path, revision: String(revision), before: String(state.revision) });
    }
    state.replace(entries, revision, new Set(lost));
    mark = own === undefined ? undefined : { version, id: own };
    answered = true;
    onChange();
  };

  return {
    path,
    state,
    get answered() {
      return answered;
    },
    get refused() {
      return refused;
    },
    get mark() {
      return mark;
    },
    load(known) {
      state.load(new Map([...known.entries].filter(([name]) => isName(name))), known.revision, known.lost);
      ({ mark } = known);
    },
    follow() {
      stop = source.follow(path, {
        onSnapshot: (entries, revision) => {
          refused = undefined;
          later(() => onSnapshot(entries, revision));
        },
        onRefused: (reason) => void (refused = reason),
        onChanges: (changes) =>
          later(() => {
            for (const group of byRevision(changes)) {
              state.change(group.filter(({ name }) => isName(name)));
              onChange();
            }
          }),
      });
    },
    published(onMark) {
      later(async () => {
        if (mark || !answered) return;
        const id = await source.mark(service, version).catch(() => undefined);
        if (id === undefined) return;
        mark = { version, id };
        onMark();
      });
    },
    close() {
      closed = true;
      stop();
    },
  };
}
