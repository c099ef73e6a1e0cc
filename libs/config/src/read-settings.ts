import type { z } from 'zod';

/** What people are told about a setting. */
export interface SettingOptions {
  /** What it is for, in a few words: shown when the setting is wrong. */
  readonly description: string;
  /** Whether its value must never be shown; in etcd it is encrypted. Default false. */
  readonly secret?: boolean;
  /** What its value counts, such as `ms` or `calls`, for people. */
  readonly unit?: string;
  /** Of a live setting: whether a change takes effect while the program runs; otherwise at its next start. Default true. */
  readonly live?: boolean;
  /** Of a live setting: the variable of the environment that says it. Default: its name in capitals with `_` for dots. */
  readonly env?: string;
  /** Of a live setting that is not simply the text of one variable: what the environment says of it; undefined: nothing. */
  readonly fromEnv?: (env: Readonly<Record<string, string | undefined>>) => unknown;
}

/** One setting: what it must look like, and what it is for. */
export interface Setting<S extends z.ZodType = z.ZodType> extends SettingOptions {
  readonly schema: S;
}

/** The values of a set of settings. */
export type Settings<T extends Readonly<Record<string, Setting>>> = { readonly [K in keyof T]: z.output<T[K]['schema']> };

/** One setting that is wrong. */
export interface SettingProblem {
  readonly name: string;
  /** What is wrong and what is expected; never the value of a secret. */
  readonly message: string;
}

/** Everything that is wrong with the settings, one line each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    const heading = problems.length === 1 ? 'A setting is wrong:' : `${problems.length} settings are wrong:`;
    super([heading, ...problems.map(({ name, message }) => `  ${name} ${message}`)].join('\n'));
    this.problems = problems;
  }
}

/** Describes a setting. `schema` sees the text of the variable, or undefined: give numbers `z.coerce.number()`, booleans `z.stringbool()`, what may be absent `.default(…)` or `.optional()`. */
export function setting<S extends z.ZodType>(schema: S, options: SettingOptions): Setting<S> {
  return { schema, ...options };
}

/**
 * Reads settings from the environment. An empty variable counts as absent, as in most shells and container files. Throws one
 * `SettingsError` with everything that is wrong.
 */
export function readSettings<const T extends Readonly<Record<string, Setting>>>(settings: T, env: Readonly<Record<string, string | undefined>>): Settings<T> {
  const values: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  for (const [name, each] of Object.entries(settings)) {
    const text = env[name] === '' ? undefined : env[name];
    const parsed = each.schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else problems.push({ name, message: describe(each, text, parsed.error.issues) });
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(values) as Settings<T>;
}

const MAX_SHOWN_CHARACTERS = 60;

function describe(each: Setting, text: string | undefined, issues: readonly { readonly message: string }[]): string {
  const reasons = [...new Set(issues.map(({ message }) => message.replace(/^Invalid input: /, '').replace(/, received undefined$/, '')))].join('; ');
  const fallback = each.schema.safeParse(undefined);
  const byDefault = fallback.success && fallback.data !== undefined && !each.secret ? `; default ${JSON.stringify(fallback.data)}` : '';
  // A schema's own message may quote what it was given.
  const shownReasons = each.secret && text !== undefined ? reasons.replaceAll(text, '[secret]') : reasons;
  return `${shown(each, text)}: ${shownReasons} (${each.description}${byDefault})`;
}

function shown({ secret = false }: Setting, text: string | undefined): string {
  if (text === undefined) return 'is missing';
  if (secret) return 'has a wrong value (a secret, not shown)';
  const withoutCredentials = text.replace(/\/\/[^/@\s]*@/g, '//[credentials]@');
  return `is ${JSON.stringify(withoutCredentials.length > MAX_SHOWN_CHARACTERS ? `${withoutCredentials.slice(0, MAX_SHOWN_CHARACTERS)}…` : withoutCredentials)}`;
}
