import type { Logger } from '@talaria/base';
import { overlap } from './allocation.ts';
import { readExperiment, type Experiment } from './experiment.ts';
import { readFlagDocument, type FlagDocument } from './flag-document.ts';
import { snapshotOf, type Snapshot } from './snapshot.ts';
import { EXPERIMENTS_FOLDER, FLAGS_FOLDER, type FlagDocuments } from './source.ts';

/** What is in force, and what is wrong with what is not. */
export interface Catalog {
  readonly snapshot: Snapshot;
  /** The documents that are in force, as they were read. */
  readonly good: FlagDocuments;
  /** What is wrong, by document, such as `flags/checkout`. */
  readonly problems: ReadonlyMap<string, string>;
  /** Takes over all documents that can be used; one that cannot leaves its last good state in force. Answers which flags may answer otherwise now. */
  apply(documents: FlagDocuments): readonly string[];
}

interface Kept<T> {
  readonly text: string;
  readonly value: T;
}

/** One kind of document: the last good ones, and what is wrong with others. */
function shelf<T extends { readonly flaw?: string | undefined }>(folder: string, read: (name: string, text: string) => T, log: Logger) {
  const good = new Map<string, Kept<T>>();
  const bad = new Map<string, { readonly text: string; readonly reason: string }>();

  const take = (name: string, text: string): void => {
    if (good.get(name)?.text === text && !good.get(name)?.value.flaw) return void bad.delete(name);
    if (bad.get(name)?.text === text) return;
    let reason: string;
    try {
      const value = read(name, text);
      if (!value.flaw || !good.has(name)) good.set(name, { text, value });
      if (!value.flaw) return void bad.delete(name);
      reason = value.flaw;
    } catch (error) {
      reason = (error as Error).message;
    }
    bad.set(name, { text, reason });
    const instead = good.get(name)?.text === text ? 'what of it works is in force' : good.has(name) ? 'it stays as it last was' : 'it is left out';
    log.error(`a document of flags cannot be used: ${instead}; write it again with "talaria ${folder.slice(0, -1)} apply"`, { document: folder + name, reason });
  };

  return {
    good,
    bad,
    apply(documents: ReadonlyMap<string, string>): void {
      for (const name of [...good.keys(), ...bad.keys()]) {
        if (documents.has(name)) continue;
        good.delete(name);
        bad.delete(name);
      }
      for (const [name, text] of documents) take(name, text);
    },
  };
}

/** Keeps what can be used of what comes. */
export function createCatalog(log: Logger): Catalog {
  const documents = shelf<FlagDocument>(FLAGS_FOLDER, readFlagDocument, log);
  const experiments = shelf<Experiment & { readonly flaw?: undefined }>(EXPERIMENTS_FOLDER, readExperiment, log);
  let snapshot: Snapshot = snapshotOf([], []);
  let problems = new Map<string, string>();
  const texts = (all: ReadonlyMap<string, Kept<unknown>>): Map<string, string> => new Map([...all].map(([name, { text }]) => [name, text]));
  const sorted = <T>(all: ReadonlyMap<string, Kept<T>>): T[] => [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { value }]) => value);

  return {
    get snapshot() {
      return snapshot;
    },
    get good() {
      return { flags: texts(documents.good), experiments: texts(experiments.good) };
    },
    get problems() {
      return problems;
    },
    apply(all) {
      documents.apply(all.flags);
      experiments.apply(all.experiments);
      const found = new Map<string, string>();
      const usable = usableExperiments(sorted(experiments.good), found);
      const next = snapshotOf(sorted(documents.good), usable, found);
      for (const [name, { reason }] of documents.bad) found.set(FLAGS_FOLDER + name, reason);
      for (const [name, { reason }] of experiments.bad) found.set(EXPERIMENTS_FOLDER + name, reason);
      for (const name of all.lost ?? []) if (!found.has(name)) found.set(name, 'etcd has lost it, and it is in force as it last was: write it again');
      for (const [document, reason] of found) if (problems.get(document) !== reason) log.debug('a problem with flags', { document, reason });
      problems = found;
      const changed = changes(snapshot, next);
      snapshot = next;
      return changed;
    },
  };
}

/** Experiments of a group share buckets; of two that claim the same, the one whose name comes first has them, everywhere. */
function usableExperiments(all: readonly Experiment[], problems: Map<string, string>): readonly Experiment[] {
  const usable: Experiment[] = [];
  for (const experiment of all) {
    const others = experiment.group === undefined ? [] : usable.filter(({ group }) => group === experiment.group);
    const otherKey = others.find(({ key }) => key !== experiment.key);
    const clash = others.find(({ ranges }) => overlap([...ranges, ...experiment.ranges]));
    if (otherKey) problems.set(EXPERIMENTS_FOLDER + experiment.name, `its group goes by ${otherKey.key} (${otherKey.name}), and it by ${experiment.key}: it is left out`);
    else if (clash) problems.set(EXPERIMENTS_FOLDER + experiment.name, `it has buckets in common with ${clash.name} of its group: it is left out`);
    else usable.push(experiment);
  }
  return usable;
}

function changes(before: Snapshot, after: Snapshot): readonly string[] {
  const names = new Set([...before.flags.keys(), ...after.flags.keys()]);
  return [...names].filter((name) => before.flags.get(name)?.hash !== after.flags.get(name)?.hash || before.experiments.get(name) !== after.experiments.get(name));
}
