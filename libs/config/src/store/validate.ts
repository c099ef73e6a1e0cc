import type { EtcdEntry } from '@talaria/etcd';
import { isSealed } from '../secrets.ts';
import { MAX_VALUE_BYTES } from '../setting-names.ts';
import { complaintAbout } from './check-value.ts';
import type { StoreContext } from './commit.ts';
import { schemasFor, unknownSetting } from './concerned.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { flatDocument } from './flat-document.ts';
import { checkedName } from './names.ts';
import { opened, valueOf } from './plan.ts';
import { resolveValue, TextValue, type GivenValue } from './resolve-value.ts';
import { readSnapshot, type SchemaEntry, type Snapshot, type Stored } from './snapshot.ts';
import { targetPath, targetText, type Target } from './target.ts';

/** Something that is wrong. */
export interface Problem {
  /** Absent: it stands below no target. */
  readonly target?: Target;
  /** The setting; for a key that nobody reads the key. */
  readonly name: string;
  /** One sentence, without any secret. */
  readonly message: string;
  /** It harms nobody: what is left of an instance that is gone. */
  readonly harmless?: true;
}

/** What a check found. */
export interface Validation {
  /** How many values were looked at. */
  readonly checked: number;
  readonly problems: readonly Problem[];
}

const messageOf = (error: unknown): string => {
  if (error instanceof ConfigStoreError) return error.message;
  throw error;
};

/** Checks all that is stored, or what is stored for one target, against what services publish. */
export async function validateStored(context: StoreContext, target?: Target): Promise<Validation> {
  const snapshot = await readSnapshot(context.etcd, context.keys);
  const path = target && targetPath(target);
  const stored = [...snapshot.stored.values()].filter((each) => path === undefined || targetPath(each.target) === path);
  const odd = path === undefined ? snapshot.odd.map(({ key }): Problem => ({ name: key, message: `Nobody reads the key ${key}: it names no target and setting, so delete it.` })) : [];
  return { checked: stored.length + odd.length, problems: [...stored.flatMap((each) => problemsOf(context, snapshot, each)), ...odd] };
}

function problemsOf(context: StoreContext, snapshot: Snapshot, stored: Stored): readonly Problem[] {
  const { target, name, permanent, temporary } = stored;
  let schemas: readonly SchemaEntry[];
  try {
    schemas = schemasFor(snapshot, target);
  } catch (error) {
    const message = `${messageOf(error)} What is stored for it is read by nobody: unset it.`;
    return [{ target, name, message, ...(target.kind === 'instance' ? { harmless: true } : {}) }];
  }
  const knowing = schemas.flatMap(({ settings }) => settings.get(name) ?? []);
  if (knowing.length === 0) return [{ target, name, message: unknownSetting(snapshot, target, name, schemas).message }];
  const secret = knowing.some((each) => each.secret);
  return [permanent, temporary].flatMap((entry): Problem[] => {
    const message = entry && complaintOf(context, stored, entry, secret, knowing);
    return message === undefined ? [] : [{ target, name, message }];
  });
}

function complaintOf({ secrets }: StoreContext, stored: Stored, entry: EtcdEntry, secret: boolean, knowing: readonly Parameters<typeof complaintAbout>[1][]): string | undefined {
  const where = `${stored.name} of ${targetText(stored.target)}`;
  if (entry.value.length > MAX_VALUE_BYTES) return `${where} has ${entry.value.length} bytes, and a value may have ${MAX_VALUE_BYTES}: set it to a shorter one.`;
  const value = valueOf(entry);
  if (value === undefined) return `${where} is no JSON: set it again.`;
  if (secret !== isSealed(value)) return secret ? `${where} is a secret that is not encrypted: set it again, and take what was shown for known.` : `${where} is encrypted, and no secret: set it again.`;
  try {
    const plain = opened(secrets, stored, value);
    return knowing.map((each) => complaintAbout(stored.name, each, plain)).find((each) => each !== undefined);
  } catch (error) {
    return messageOf(error);
  }
}

/** Checks a document of settings, nested or dotted, for a target, without writing anything. */
export async function validateDocument(context: StoreContext, target: Target, document: unknown): Promise<Validation> {
  const snapshot = await readSnapshot(context.etcd, context.keys);
  const schemas = schemasFor(snapshot, target);
  const values = flatDocument(document, namesIn(schemas));
  const problems = Object.entries(values).flatMap(([name, value]): Problem[] => {
    try {
      const { json } = resolveValue(snapshot, target, checkedName(name), value, schemas);
      const bytes = Buffer.byteLength(JSON.stringify(json));
      return bytes > MAX_VALUE_BYTES ? [{ target, name, message: `${name} has ${bytes} bytes, and a value may have ${MAX_VALUE_BYTES}: keep what is larger elsewhere, and store where it is.` }] : [];
    } catch (error) {
      return [{ target, name, message: messageOf(error) }];
    }
  });
  return { checked: Object.keys(values).length, problems };
}

const namesIn = (schemas: readonly SchemaEntry[]): ReadonlySet<string> => new Set(schemas.flatMap(({ settings }) => [...settings.keys()]));

/** The settings of a document, by name, as `set` takes them. */
export async function settingsOfDocument(context: StoreContext, target: Target, document: unknown): Promise<Readonly<Record<string, GivenValue>>> {
  return flatDocument(document, namesIn(schemasFor(await readSnapshot(context.etcd, context.keys), target)));
}

/** A value as somebody typed it, for `set`: JSON, or a text where the setting takes one. */
export function typedValue(text: string): GivenValue {
  return new TextValue(text);
}

