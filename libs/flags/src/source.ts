import { fixedSetting, mutableSetting, type LiveSetting, type SharedDocument, type SharedDocuments } from '@talaria/base';

/** All documents of flags and experiments, by name. */
export interface FlagDocuments {
  readonly flags: ReadonlyMap<string, string>;
  readonly experiments: ReadonlyMap<string, string>;
  /** Which of them the store has lost, such as `flags/checkout`. */
  readonly lost?: readonly string[];
}

/** Where flags come from. */
export interface FlagSource {
  /** Such as `etcd`. */
  readonly name: string;
  /** Whether it can be asked now. While it cannot, flags are as they were last known. */
  readonly reachable: LiveSetting<boolean>;
  /** Calls `listener` with everything as soon as it is known, and again after each change. The answer stops that. */
  watch(listener: (documents: FlagDocuments) => void): () => void;
}

/** The name of the source that services share. */
export const SHARED = 'etcd';
/** The folder of documents of flags, below `talaria/<namespace>/`. */
export const FLAGS_FOLDER = 'flags/';
/** The folder of the documents of experiments. */
export const EXPERIMENTS_FOLDER = 'experiments/';

/** Flags that the services of a platform share: `flags/<document>` and `experiments/<name>` in etcd. */
export function sharedFlagSource(documents: SharedDocuments): FlagSource {
  return {
    name: SHARED,
    reachable: documents.reachable,
    watch(listener) {
      type Documents = ReadonlyMap<string, SharedDocument>;
      let flags: Documents | undefined;
      let experiments: Documents | undefined;
      const texts = (all: Documents): Map<string, string> => new Map([...all].map(([name, { text }]) => [name, text]));
      const lost = (folder: string, all: Documents): string[] => [...all.values()].filter((document) => document.lost).map(({ name }) => folder + name);
      const tell = (): void => {
        if (flags && experiments) listener({ flags: texts(flags), experiments: texts(experiments), lost: [...lost(FLAGS_FOLDER, flags), ...lost(EXPERIMENTS_FOLDER, experiments)] });
      };
      const stops = [
        documents.watch(FLAGS_FOLDER, (all) => ((flags = all), tell())),
        documents.watch(EXPERIMENTS_FOLDER, (all) => ((experiments = all), tell())),
      ];
      return () => stops.forEach((stop) => stop());
    },
  };
}

/** Flags in memory; for tests. */
export interface MemoryFlagSource extends FlagSource {
  /** Puts a document of flags, as text or as an object that becomes JSON; undefined removes it. */
  set(document: string, flags: unknown): void;
  /** Puts the document of an experiment; undefined removes it. */
  setExperiment(name: string, experiment: unknown): void;
}

/** Makes flags in memory. `flags`: the first document, named `flags`. Default none. */
export function memoryFlagSource(flags?: unknown): MemoryFlagSource {
  const now = { flags: new Map<string, string>(), experiments: new Map<string, string>() };
  const changed = mutableSetting<FlagDocuments>({ ...now });
  const put = (documents: Map<string, string>, name: string, value: unknown): void => {
    if (value === undefined) documents.delete(name);
    else documents.set(name, typeof value === 'string' ? value : JSON.stringify(value));
    changed.set({ flags: new Map(now.flags), experiments: new Map(now.experiments) });
  };
  if (flags !== undefined) put(now.flags, 'flags', flags);
  return {
    name: 'memory',
    reachable: fixedSetting(true),
    watch(listener) {
      listener(changed.get());
      return changed.onChange(listener);
    },
    set: (document, value) => put(now.flags, document, value),
    setExperiment: (name, value) => put(now.experiments, name, value),
  };
}
