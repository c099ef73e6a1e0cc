import type { Checker, LiveSetting, Logger } from '@talaria/base';
import type { z } from 'zod';
import { SettingsError, type Setting, type SettingProblem } from '../read-settings.ts';
import { keyringOf, type ConfigKeyring } from '../secrets.ts';
import { isLiveSettingName, type ConfigReader } from '../setting-names.ts';
import { readConfigFile, type ConfigFile } from './config-file.ts';
import type { ConfigSource } from './config-source.ts';
import { createFollowing, type Following } from './following.ts';
import { createLiveValues } from './live-values.ts';
import { readLowerLayers, type LowerLayers } from './lower-layers.ts';
import { variableOf } from './published-schema.ts';

/** Describes live settings by their names, such as `webhook.attempt_timeout`. */
export type ConfigShape = Readonly<Record<string, Setting>>;

/** Live settings by their names. */
export type Config<S extends ConfigShape> = { readonly [K in keyof S]: LiveSetting<z.output<S[K]['schema']>> };

/** Who reads configuration, and from where. Beyond `env` and `log` nothing is read before it starts, so that these may be getters. */
export interface OpenConfigOptions extends ConfigReader {
  /** The layer of the environment, and TALARIA_CONFIG_FILE and TALARIA_CONFIG_KEYS. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Default `default`. */
  readonly namespace?: string | undefined;
  /** Where live values come from. Default: nowhere. */
  readonly source?: ConfigSource | undefined;
  /** Where what was last known is kept, below `config/`. Default: nowhere. */
  readonly stateDir?: string | undefined;
  /** What decrypts secrets. Default: the keys in TALARIA_CONFIG_KEYS. */
  readonly keyring?: ConfigKeyring | undefined;
  /** How long `start` waits for the source before it goes on with what was last known, in ms. Default 2,000. */
  readonly waitMs?: number | undefined;
}

/** The live settings of one program. */
export interface LiveConfig {
  /**
   * Declares settings. Until `start` they say what the layers below etcd do, and `get` throws a `SettingsError` where these are
   * wrong or say nothing. Throws one sentence for a name that is none, one that is declared already, and once it was started.
   */
  declare<const S extends ConfigShape>(shape: S): Config<S>;
  /** What is wrong with the layers below etcd so far. */
  problems(): readonly SettingProblem[];
  /**
   * Takes what the source says, for which it waits 2 s, or else what was last known, and follows it from then on. Rejects with a `SettingsError` if
   * something is wrong below etcd, or nothing says a setting without a default; with the signal's reason if that aborts.
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Fails while something that was written is not in force, and says why and what to do; never shows a secret. Not critical. */
  readonly checker: Checker;
  /** Resolves when nothing is followed, written or shown any more. Values stay as they are. */
  close(): Promise<void>;
}

/** One declared setting. */
export interface Declared {
  readonly setting: Setting;
  readonly lower: LowerLayers;
}

/** Opens the configuration of a program; nothing is followed before it starts. */
export function openConfig(options: OpenConfigOptions): LiveConfig {
  const { env, log } = options;
  const values = createLiveValues(log);
  const declared = new Map<string, Declared>();
  const known = new Map<string, LiveSetting<unknown>>();
  const broken: SettingProblem[] = [];
  let file: ConfigFile | undefined;
  let following: Following | undefined;
  let started = false;

  const unless = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      broken.push(...error.problems);
      return otherwise;
    }
  };
  const theFile = (): ConfigFile => (file ??= unless(() => readConfigFile(env), { find: () => undefined }));
  const keyring = options.keyring ?? unless(() => keyringOf(env), keyringOf({}));

  const missing = (name: string, setting: Setting): SettingProblem => ({
    name: variableOf(name, setting),
    message: `is missing: set it, or write ${name} with "talaria config set" (${setting.description})`,
  });
  const problems = (): readonly SettingProblem[] => [...new Map([...broken, ...[...declared.values()].flatMap(({ lower }) => lower.problems)].map((each) => [each.name, each])).values()];

  const add = (name: string, setting: Setting): LiveSetting<unknown> => {
    if (!isLiveSettingName(name)) throw new Error(`"${name}" is no name of a live setting: use words of small letters, digits and "_" with dots between them, such as "webhook.attempt_timeout".`);
    const before = known.get(name);
    if (before) {
      if (declared.get(name)?.setting === setting) return before;
      throw new Error(`The live setting ${name} is declared already: declare it once and pass the value on.`);
    }
    if (started) throw new Error(`The live setting ${name} is declared too late: declare it before the start.`);
    const lower = readLowerLayers(name, setting, env, theFile);
    declared.set(name, { setting, lower });
    const value = values.add(name, () => {
      if (lower.problems.length > 0) throw new SettingsError(lower.problems);
      if (!lower.winner) throw new SettingsError([missing(name, setting)]);
      return lower.winner.value;
    });
    known.set(name, value);
    return value;
  };

  return {
    declare<const S extends ConfigShape>(shape: S): Config<S> {
      return Object.freeze(Object.fromEntries(Object.entries(shape).map(([name, setting]) => [name, add(name, setting)]))) as Config<S>;
    },
    problems,
    async start(signal) {
      if (started) throw new Error('The configuration was started already.');
      started = true;
      const wrong = problems();
      if (wrong.length > 0) throw new SettingsError(wrong);
      const { source, namespace = 'default', service, version, instance, stateDir, waitMs } = options;
      if (source) {
        following = createFollowing({ reader: { service, version, instance }, log, namespace, source, stateDir, keyring, declared, values, waitMs });
        await following.start(signal);
      }
      const absent = [...declared].flatMap(([name, { setting, lower }]) => (lower.winner ?? following?.says(name) ? [] : [missing(name, setting)]));
      if (absent.length > 0) throw new SettingsError(absent);
    },
    checker: { name: 'config', check: () => following?.check() ?? {} },
    async close() {
      await following?.close();
    },
  };
}
