import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Setting } from '../read-settings.ts';
import { isSealed, type ConfigKeyring, type SecretPlace } from '../secrets.ts';
import { MAX_VALUE_BYTES } from '../setting-names.ts';
import { SECRET } from './applied-state.ts';

/** What became of a value: it is fine, or what is wrong with it, in words that show no secret. */
export type Reading =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** For people: as it was given, or `[secret]`. */
      readonly shown: unknown;
    }
  | { readonly ok: false; readonly problem: string };

type Issue = z.core.$ZodIssue;

const MAX_SHOWN_CHARACTERS = 60;
const MAX_SHOWN_ISSUES = 5;

const withoutCredentials = (text: string): string => text.replace(/\/\/[^/@\s]*@/g, '//[credentials]@');

/** A value of JSON for people: whole, but without credentials in addresses. */
export function shownValue(value: unknown): unknown {
  if (typeof value === 'string') return withoutCredentials(value);
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shownValue(part)]));
}

function jsonText(value: unknown): string {
  try {
    return String(JSON.stringify(value));
  } catch {
    return 'a value that cannot be shown';
  }
}

/** A value in a few characters. */
export function shortly(value: unknown): string {
  const text = withoutCredentials(jsonText(value));
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}

/** What is wrong with a secret: only what cannot hold a part of it, which a schema's own messages may. */
function secretReason(issue: Issue): string {
  if (issue.code === 'invalid_type') return `expected ${issue.expected}`;
  if (issue.code === 'too_small') return 'it is too small or short';
  if (issue.code === 'too_big') return 'it is too big or long';
  return 'it is not what is expected';
}

const pathOf = (issue: Issue): string => (issue.path.length === 0 ? '' : `${issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')}: `.replace(/^\./, ''));

function reasons(issues: readonly Issue[], secret: boolean): string {
  const each = issues.map((issue) => (secret ? secretReason(issue) : `${pathOf(issue)}${issue.message.replace(/^Invalid input: /, '')}`));
  const different = [...new Set(each)];
  return different.length > MAX_SHOWN_ISSUES ? `${different.slice(0, MAX_SHOWN_ISSUES).join('; ')}; and ${different.length - MAX_SHOWN_ISSUES} more` : different.join('; ');
}

/** The type that the schema makes of anything, if it does: `z.coerce.number()` takes null for 0. */
function coercedType(schema: z.ZodType): string | undefined {
  let { def } = schema as { readonly def: { readonly type: string; readonly coerce?: boolean; readonly innerType?: z.ZodType; readonly in?: z.ZodType } };
  for (let inner = def.innerType ?? def.in; inner; inner = def.innerType ?? def.in) def = inner.def as unknown as typeof def;
  return def.coerce ? def.type : undefined;
}

/** Checks a value of JSON. */
export function readValue(setting: Setting, given: unknown, { secret = setting.secret ?? false, isText = false } = {}): Reading {
  const is = secret ? 'has a wrong value (a secret, not shown)' : `is ${shortly(given)}`;
  try {
    const coerced = isText ? undefined : coercedType(setting.schema);
    if (coerced !== undefined && coerced !== 'date' && typeof given !== 'string' && typeof given !== coerced) {
      return { ok: false, problem: `${is}: expected ${coerced} (${setting.description})` };
    }
    const parsed = setting.schema.safeParse(given);
    if (parsed.success) return { ok: true, value: parsed.data, shown: secret ? SECRET : shownValue(given) };
    return { ok: false, problem: `${is}: ${reasons(parsed.error.issues, secret)} (${setting.description})` };
  } catch {
    // A schema that throws, or is nested deeper than the stack is.
    return { ok: false, problem: `${is}: it cannot be checked (${setting.description})` };
  }
}

/** Checks the text of a variable: as it stands, else as JSON. */
export function readText(setting: Setting, text: string): Reading {
  const asText = readValue(setting, text, { isText: true });
  if (asText.ok) return asText;
  try {
    const asJson = readValue(setting, JSON.parse(text) as unknown);
    return asJson.ok ? asJson : asText;
  } catch {
    return asText;
  }
}

/** Checks a value as it stands in the store. */
export function readStored(setting: Setting, bytes: Uint8Array, place: SecretPlace, keyring: ConfigKeyring): Reading {
  const { description, secret = false } = setting;
  const wrong = (problem: string): Reading => ({ ok: false, problem: `${problem} (${description})` });
  if (bytes.length > MAX_VALUE_BYTES) return wrong(`has ${bytes.length} bytes: ${MAX_VALUE_BYTES} are the most`);
  let given: unknown;
  try {
    given = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // What JSON.parse says quotes the text.
    return wrong(secret ? 'is no JSON (a secret, not shown)' : `is no JSON: ${shortly(Buffer.from(bytes.subarray(0, 2 * MAX_SHOWN_CHARACTERS)).toString())}`);
  }
  if (!isSealed(given)) return secret ? wrong('is a secret that is not encrypted: write it with "talaria config set", which encrypts it, and take the one that was shown for known') : readValue(setting, given);
  try {
    return readValue(setting, keyring.open(given, place), { secret: true });
  } catch (error) {
    return wrong(`is a secret that cannot be read: ${(error as Error).message}`);
  }
}

/** Whether two values are the same; false for what cannot be compared. */
export function isSame(a: unknown, b: unknown): boolean {
  try {
    return isDeepStrictEqual(a, b);
  } catch {
    return false;
  }
}
