import type { ConfigKeyring } from '../secrets.ts';
import { TEMPORARY_SUFFIX } from '../setting-names.ts';
import type { SettingSource } from './applied-state.ts';
import type { ConfigSource, RawEntry } from './config-source.ts';
import type { LayerValue } from './lower-layers.ts';
import type { Declared } from './open-config.ts';
import { isSame, readStored, type Reading } from './read-value.ts';
import type { TargetFollower } from './target-follower.ts';
import type { HeldBack, Settled } from './target-state.ts';

/** What is in force of a setting. */
export interface Effective extends LayerValue {
  readonly temporary?: true;
}

/** Something that was written and is not in force. */
export interface HeldProblem {
  /** The same for as long as it is the same. */
  readonly id: string;
  /** The settings that it keeps from being applied. */
  readonly names: ReadonlySet<string>;
  /** For people, with the key and the fix. */
  readonly message: string;
  /** For the log. */
  readonly log: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Finds what is in force. */
export interface Evaluation {
  /** What is in force from now on; of values that did not change those of `before`. */
  settle(before: ReadonlyMap<string, Effective>): ReadonlyMap<string, Effective>;
  /** What is not, as of the last time: one each revision that is held back. */
  problems(): readonly HeldProblem[];
}

/** What is looked at. */
export interface EvaluationOptions {
  /** Later ones win. */
  readonly targets: readonly TargetFollower[];
  readonly declared: ReadonlyMap<string, Declared>;
  readonly source: ConfigSource;
  readonly namespace: string;
  readonly keyring: ConfigKeyring;
}

const SOURCES: readonly SettingSource[] = ['global', 'service', 'version', 'instance'];
const nameOf = (key: string): string => (key.endsWith(TEMPORARY_SUFFIX) ? key.slice(0, -TEMPORARY_SUFFIX.length) : key);

/** The target as the command line takes it. */
const spoken = (path: string): string => path.replace(/^[^/]*\//, '');

/** Makes one. */
export function createEvaluation({ targets, declared, source, namespace, keyring }: EvaluationOptions): Evaluation {
  /** An entry never changes, and stands in one place. */
  const readings = new WeakMap<RawEntry, Reading>();
  let problems: readonly HeldProblem[] = [];

  const read = ({ path }: TargetFollower, key: string, entry: RawEntry): Reading | undefined => {
    const name = nameOf(key);
    const setting = declared.get(name)?.setting;
    if (!setting) return undefined;
    const reading = readings.get(entry) ?? readStored(setting, entry.value, { namespace, target: path, name }, keyring);
    readings.set(entry, reading);
    return reading;
  };
  const settleTarget = (target: TargetFollower, held: readonly HeldBack[]): Settled => target.state.settle((key, entry) => read(target, key, entry)?.ok === false, held);

  const effectiveOf = (name: string, settled: readonly Settled[]): Effective | undefined => {
    for (let at = targets.length - 1; at >= 0; at--) {
      const target = targets[at];
      for (const key of [`${name}${TEMPORARY_SUFFIX}`, name]) {
        const entry = settled[at]?.entries.get(key);
        const reading = target && entry && read(target, key, entry);
        if (reading?.ok) return { source: SOURCES[at] ?? 'instance', value: reading.value, shown: reading.shown, ...(key === name ? {} : { temporary: true }) };
      }
    }
    return declared.get(name)?.lower.winner;
  };

  /** A removal after which nothing would say a setting. */
  const orphaning = (settled: readonly Settled[]): { readonly at: number; readonly name: string; readonly removal: HeldBack } | undefined => {
    for (const [name, { lower }] of declared) {
      if (lower.winner || effectiveOf(name, settled)) continue;
      for (const [at, { removed }] of settled.entries()) {
        const removal = removed.get(name) ?? removed.get(`${name}${TEMPORARY_SUFFIX}`);
        if (removal) return { at, name, removal };
      }
    }
    return undefined;
  };

  const describe = (target: TargetFollower, revision: bigint, held: HeldBack, wrong: readonly { readonly name: string; readonly problem: string }[]): HeldProblem => {
    const [first] = wrong;
    const said = wrong.map(({ name, problem }) => `${name} ${problem}`).join('; ');
    const key = source.keyOf(target.path, first?.name ?? '');
    const fix = `write it again: talaria config set ${spoken(target.path)} ${nameOf(first?.name ?? '')} <value>`;
    return {
      id: `${target.path}@${revision}`,
      names: new Set(target.state.within(held).map(nameOf)),
      message: `${key}: ${said}; the last good value stays; ${fix}`,
      log: `a setting is wrong, so that nothing of the change is applied and the last good values stay: ${said}; ${fix}`,
      fields: { key, revision: String(revision) },
    };
  };

  return {
    settle(before) {
      const orphans: { readonly at: number; readonly name: string; readonly removal: HeldBack }[] = [];
      let settled: readonly Settled[];
      for (;;) {
        settled = targets.map((target, at) => settleTarget(target, orphans.filter((each) => each.at === at).map(({ removal }) => removal)));
        const orphan = orphaning(settled);
        if (!orphan) break;
        orphans.push(orphan);
      }
      const found: HeldProblem[] = [];
      for (const [at, target] of targets.entries()) {
        const wrong = new Map<bigint, { readonly held: HeldBack; readonly each: { name: string; problem: string }[] }>();
        const add = (held: HeldBack, name: string, problem: string): void => {
          const group = wrong.get(held.upTo) ?? { held, each: [] };
          group.each.push({ name, problem });
          wrong.set(held.upTo, group);
        };
        for (const [name, entry] of target.state.stored) {
          const reading = target.state.lost.has(name) ? undefined : read(target, name, entry);
          if (reading?.ok === false) add({ after: entry.revision - 1n, upTo: entry.revision }, name, reading.problem);
        }
        for (const each of orphans) if (each.at === at) add(each.removal, each.name, `was removed, and nothing else says it (${declared.get(each.name)?.setting.description ?? ''})`);
        for (const [revision, { held, each }] of wrong) found.push(describe(target, revision, held, each));
      }
      for (const [at, target] of targets.entries()) target.state.accept(settled[at] as Settled);
      problems = found;

      const effective = new Map<string, Effective>();
      for (const name of declared.keys()) {
        const now = effectiveOf(name, settled);
        const was = before.get(name);
        if (now) effective.set(name, was && isSame(was.value, now.value) ? { ...now, value: was.value } : now);
      }
      return effective;
    },
    problems: () => problems,
  };
}
