import { complaintAbout } from './check-value.ts';
import { unknownSetting } from './concerned.ts';
import { ConfigStoreError } from './config-store-error.ts';
import { jsonOf, type JsonValue } from './json.ts';
import type { SchemaEntry, Snapshot } from './snapshot.ts';
import { targetText, type Target } from './target.ts';

/** A value as somebody typed it: JSON, or a text where that is what the setting takes. */
export class TextValue {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a setting shall be. */
export type GivenValue = JsonValue | TextValue;

/** A value that everybody whom it concerns takes. */
export interface Resolved {
  readonly json: JsonValue;
  readonly secret: boolean;
  /** Whether all take it while they run. */
  readonly live: boolean;
}

/** Checks a value against the schemas that it has to fit. Throws a `ConfigStoreError` that says what is expected. */
export function resolveValue(snapshot: Snapshot, target: Target, name: string, given: GivenValue, schemas: readonly SchemaEntry[]): Resolved {
  const knowing = schemas.filter(({ settings }) => settings.has(name));
  if (knowing.length === 0) throw unknownSetting(snapshot, target, name, schemas);
  const settingOf = ({ settings }: SchemaEntry) => settings.get(name) as NonNullable<ReturnType<typeof settings.get>>;
  const secret = knowing.some((each) => settingOf(each).secret);
  const open = knowing.find((each) => !settingOf(each).secret);
  if (secret && open) {
    throw new ConfigStoreError('invalid_value', `${name} is a secret of some and not of ${open.service}@${open.version}: set it for each service or version by itself.`);
  }
  const complaint = (json: JsonValue): string | undefined => {
    const complaints = knowing.map((each) => ({ each, said: complaintAbout(name, settingOf(each), json) })).filter(({ said }) => said !== undefined);
    const [first] = complaints;
    // Who it is that refuses matters where others do not.
    if (first?.said === undefined || complaints.length === knowing.length) return first?.said;
    return `${first.said.replace(/\.$/, '')}: says ${first.each.service}@${first.each.version}.`;
  };
  const parsed = given instanceof TextValue ? jsonOf(given.text) : { json: given };
  const candidates = [...(parsed ? [parsed.json] : []), ...(given instanceof TextValue ? [given.text] : [])];
  const fitting = candidates.find((json) => complaint(json) === undefined);
  if (fitting === undefined) {
    const broken = given instanceof TextValue && !parsed && /^\s*[[{"]/.test(given.text) ? ' It is no JSON either: mind the quotes of the shell.' : '';
    throw new ConfigStoreError('invalid_value', `${complaint(candidates[0] ?? null) ?? targetText(target)}${broken}`);
  }
  return { json: fitting, secret, live: knowing.every((each) => settingOf(each).live) };
}
