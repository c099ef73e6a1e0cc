import { readFileSync } from 'node:fs';
import { SettingsError } from '../read-settings.ts';
import { parseYaml } from './parse-yaml.ts';

const VARIABLE = 'TALARIA_CONFIG_FILE';

/** A file of settings. */
export interface ConfigFile {
  /** What the file says of a setting, whichever way it is nested; undefined: nothing. Throws a `SettingsError` if it says it twice. */
  find(name: string): { readonly value: unknown } | undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every place where a dotted name may stand: `a.b.c`, `a.b: { c }`, `a: { b.c }`, `a: { b: { c } }`. */
function findAll(within: unknown, name: string): unknown[] {
  if (!isObject(within)) return [];
  const found = Object.hasOwn(within, name) ? [within[name]] : [];
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const head = name.slice(0, dot);
    if (Object.hasOwn(within, head)) found.push(...findAll(within[head], name.slice(dot + 1)));
  }
  return found;
}

/** What is wrong with the file, without what stands in it: there may be secrets. */
function wrong(what: string): SettingsError {
  return new SettingsError([{ name: VARIABLE, message: what }]);
}

function parseFile(file: string, text: string): unknown {
  try {
    if (file.toLowerCase().endsWith('.json')) return JSON.parse(text) as unknown;
    return parseYaml(text);
  } catch (error) {
    const { code, pos, message } = error as { readonly code?: string; readonly pos?: readonly [number, number]; readonly message: string };
    if (!code && !pos && !(error instanceof SyntaxError)) throw wrong(`names ${file}, which cannot be read: ${message}`);
    const line = pos ? ` in line ${text.slice(0, pos[0]).split('\n').length}` : '';
    throw wrong(`names ${file}, which is not ${file.toLowerCase().endsWith('.json') ? 'JSON' : 'YAML'}${line}${code ? ` (${code})` : ''}: correct the file`);
  }
}

/** The file that TALARIA_CONFIG_FILE names, JSON or YAML with names nested or dotted; empty without the variable. Throws a `SettingsError` for one that cannot be read. */
export function readConfigFile(env: Readonly<Record<string, string | undefined>>): ConfigFile {
  const file = env[VARIABLE];
  if (!file) return { find: () => undefined };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(`names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}): correct it, or remove the variable`);
  }
  const content = parseFile(file, text) ?? {};
  if (!isObject(content)) throw wrong(`names ${file}, which holds no settings: write names and values, such as "log: { level: debug }"`);
  return {
    find(name) {
      const found = findAll(content, name);
      if (found.length > 1) throw new SettingsError([{ name, message: `stands ${found.length} times in ${file}, nested in different ways: leave one` }]);
      return found.length === 0 ? undefined : { value: found[0] };
    },
  };
}
