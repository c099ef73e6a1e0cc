import { FlagdCore, type FeatureFlag } from '@openfeature/flagd-core';
import type { Experiment } from './experiment.ts';
import type { FlagDocument } from './flag-document.ts';
import { EXPERIMENTS_FOLDER, FLAGS_FOLDER } from './source.ts';

/** Everything that answers are made of, as of one moment. */
export interface Snapshot {
  readonly flags: ReadonlyMap<string, FeatureFlag>;
  /** Those that can be used, by name, which is that of their flag. */
  readonly experiments: ReadonlyMap<string, Experiment>;
  /** Those that assign. */
  readonly running: readonly Experiment[];
  /** flagd's own evaluation of these flags. */
  readonly core: FlagdCore;
}

const quiet = { error() {}, warn() {}, info() {}, debug() {} };

/** Puts documents together, in the order given. Tells `problems` what does not fit together. */
export function snapshotOf(documents: readonly FlagDocument[], experiments: readonly Experiment[], problems: Map<string, string> = new Map()): Snapshot {
  const flags = new Map<string, FeatureFlag>();
  const from = new Map<string, string>();
  for (const { name, flags: own } of documents) {
    for (const [key, flag] of own) {
      const other = from.get(key);
      if (other !== undefined) problems.set(FLAGS_FOLDER + other, `its flag ${key} is in ${name} too, which counts: take it out of one of them`);
      flags.set(key, flag);
      from.set(key, name);
    }
  }
  const usable = experiments.filter((experiment) => {
    const problem = misfit(experiment, flags.get(experiment.name));
    if (problem !== undefined) problems.set(EXPERIMENTS_FOLDER + experiment.name, problem);
    return problem === undefined;
  });
  const metadata = Object.assign({}, ...documents.map((document) => document.metadata)) as FlagDocument['metadata'];
  const storage = {
    getFlag: (key: string) => flags.get(key),
    getFlags: () => flags,
    getFlagSetMetadata: () => metadata,
    setConfigurations: () => [],
  };
  return { flags, experiments: new Map(usable.map((experiment) => [experiment.name, experiment])), running: usable.filter(({ running }) => running), core: new FlagdCore(storage, quiet) };
}

/** Why an experiment cannot decide its flag. */
function misfit({ name, variants }: Experiment, flag: FeatureFlag | undefined): string | undefined {
  if (!flag) return `there is no flag ${name} that it could decide: apply the flag first`;
  const missing = variants.filter((variant) => !flag.variants.has(variant));
  return missing.length > 0 ? `its flag has no variant ${missing.join(', ')}` : undefined;
}
