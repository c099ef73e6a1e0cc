import { readSettings, SettingsError, type SettingProblem, type Settings } from '@talaria/config';
import type { SettingsShape } from './types.ts';

/** Reads settings now, and reports what is wrong with any of them later and together. */
export interface SettingReader {
  read<const S extends SettingsShape>(shape: S): Settings<S>;
  /** Throws one `SettingsError` with everything that was wrong so far, and with what `others` found. */
  check(others?: readonly SettingProblem[]): void;
}

/** Reads from `env`. */
export function settingReader(env: Readonly<Record<string, string | undefined>>): SettingReader {
  const problems = new Map<string, SettingProblem>();
  return {
    read<const S extends SettingsShape>(shape: S): Settings<S> {
      const values = {};
      for (const [name, each] of Object.entries(shape)) {
        try {
          const read = readSettings({ [name]: each }, env);
          Object.defineProperty(values, name, { value: read[name], enumerable: true });
        } catch (error) {
          if (!(error instanceof SettingsError)) throw error;
          for (const problem of error.problems) problems.set(problem.name, problem);
          Object.defineProperty(values, name, {
            enumerable: true,
            get() {
              throw new SettingsError([...problems.values()]);
            },
          });
        }
      }
      return Object.freeze(values) as Settings<S>;
    },
    check(others = []) {
      if (problems.size + others.length > 0) throw new SettingsError([...problems.values(), ...others]);
    },
  };
}
