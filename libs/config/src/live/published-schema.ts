import { z } from 'zod';
import type { Setting } from '../read-settings.ts';
import { environmentName, type ConfigReader } from '../setting-names.ts';

/** What is published of one setting. */
export interface PublishedSetting {
  readonly description: string;
  readonly unit?: string;
  /** Absent for a setting without one, and for secrets. */
  readonly default?: unknown;
  readonly secret?: true;
  /** Whether a change takes effect while instances run; otherwise at their next start. */
  readonly live: boolean;
  /** The variable of the environment. */
  readonly env: string;
  /** JSON Schema 2020-12 of what may be written. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** The settings that a version of a service takes, in etcd below `schemas/<service>@<version>`. */
export interface PublishedSchema {
  readonly service: string;
  readonly version: string;
  readonly settings: Readonly<Record<string, PublishedSetting>>;
}

/** A copy without any value that a schema may hold: defaults and examples. */
function withoutValues(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutValues);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).flatMap(([key, part]) => (key === 'default' || key === 'examples' ? [] : [[key, withoutValues(part)]])));
}

/** What the schema cannot say in JSON Schema is left open: it is checked by whoever reads. */
function jsonSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  try {
    return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** The default of a setting as JSON; undefined for none. */
export function defaultOf({ schema }: Setting): unknown {
  try {
    const { success, data } = schema.safeParse(undefined);
    const json = success && data !== undefined ? (JSON.stringify(data) as string | undefined) : undefined;
    return json === undefined ? undefined : (JSON.parse(json) as unknown);
  } catch {
    return undefined;
  }
}

/** The name of the variable that says a setting. */
export const variableOf = (name: string, { env }: Setting): string => env ?? environmentName(name);

/** What is published of settings. */
export function publishedSchema({ service, version }: ConfigReader, settings: ReadonlyMap<string, Setting>): PublishedSchema {
  const published: Record<string, PublishedSetting> = {};
  for (const [name, each] of [...settings].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { description, unit, secret = false, live = true } = each;
    const schema = jsonSchema(each.schema);
    const byDefault = secret ? undefined : defaultOf(each);
    published[name] = {
      description,
      ...(unit === undefined ? {} : { unit }),
      ...(byDefault === undefined ? {} : { default: byDefault }),
      ...(secret ? { secret } : {}),
      live,
      env: variableOf(name, each),
      schema: secret ? (withoutValues(schema) as Readonly<Record<string, unknown>>) : schema,
    };
  }
  return { service, version, settings: published };
}
