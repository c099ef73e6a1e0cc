import { SettingsError, type Setting, type SettingProblem } from '../read-settings.ts';
import { SECRET, type AppliedSetting, type SettingSource } from './applied-state.ts';
import type { ConfigFile } from './config-file.ts';
import { defaultOf, variableOf } from './published-schema.ts';
import { readText, readValue, type Reading } from './read-value.ts';

/** What a layer says of a setting. */
export interface LayerValue {
  readonly source: SettingSource;
  readonly value: unknown;
  /** For people. */
  readonly shown: unknown;
}

/** What the layers below etcd say of a setting: its default, the file, the environment. */
export interface LowerLayers {
  /** The last of them that says something; undefined: none does. */
  readonly winner: LayerValue | undefined;
  readonly problems: readonly SettingProblem[];
  /** For people. */
  readonly layers: AppliedSetting['layers'];
}

type Environment = Readonly<Record<string, string | undefined>>;

function readDefault(setting: Setting): Reading | undefined {
  try {
    const parsed = setting.schema.safeParse(undefined);
    return parsed.success ? { ok: true, value: parsed.data, shown: setting.secret ? SECRET : defaultOf(setting) } : undefined;
  } catch {
    return undefined;
  }
}

function readEnvironment(setting: Setting, variable: string, env: Environment): Reading | undefined {
  if (setting.fromEnv) {
    const said = setting.fromEnv(env);
    return said === undefined ? undefined : readValue(setting, said);
  }
  const text = env[variable];
  return text ? readText(setting, text) : undefined;
}

/** Reads a setting's layers below etcd. Throws nothing: what is wrong is among the problems. */
export function readLowerLayers(name: string, setting: Setting, env: Environment, file: () => ConfigFile): LowerLayers {
  const problems: SettingProblem[] = [];
  const layers: Partial<Record<'default' | 'file' | 'environment', unknown>> = {};
  let winner: LayerValue | undefined;
  const variable = variableOf(name, setting);

  const layer = (source: 'default' | 'file' | 'environment', called: string, read: () => Reading | undefined): void => {
    try {
      const reading = read();
      if (!reading) return;
      if (!reading.ok) return void problems.push({ name: called, message: reading.problem });
      winner = { source, value: reading.value, shown: reading.shown };
      // An optional setting's default says nothing.
      if (reading.shown !== undefined) layers[source] = reading.shown;
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(...error.problems);
    }
  };
  layer('default', name, () => readDefault(setting));
  layer('file', `${name} in the file of TALARIA_CONFIG_FILE`, () => {
    const found = file().find(name);
    return found && readValue(setting, found.value);
  });
  layer('environment', variable, () => readEnvironment(setting, variable, env));
  return { winner, problems, layers };
}
