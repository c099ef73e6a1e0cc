import { fromJson, type DescMessage, type JsonValue, type Registry } from '@bufbuild/protobuf';
import { expectedWords } from '../field-words.ts';
import { didYouMean } from '../nearest.ts';
import type { JsonText, Position } from './json-text.ts';

/** What is wrong with the JSON of a message. */
export interface Complaint {
  readonly position: Position;
  /** Such as `items[1].amount takes a whole number (int64), not true.`. */
  readonly text: string;
}

/** Longer values are cut: the position says the rest. */
const MAX_SHOWN = 40;

function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

const isObject = (value: JsonValue): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether it is read as fields, and not in a JSON form of its own. */
const isPlain = (message: DescMessage): boolean => !message.typeName.startsWith('google.protobuf.');

/** The part of `json` that is no valid `schema`, innermost; undefined if each of its fields is valid by itself. */
export function findComplaint(schema: DescMessage, json: JsonText, registry: Registry, path = ''): Complaint | undefined {
  const { value, position } = json;
  if (!isObject(value)) return { position, text: `${path || 'the request'} takes an object, not ${shown(value)}.` };
  /** Why this one field is refused; undefined if it is not. */
  const refusal = (key: string, part: JsonValue): string | undefined => {
    try {
      fromJson(schema, { [key]: part }, { registry });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  for (const [name, part] of json.parts) {
    const key = String(name);
    const whole = refusal(key, part.value);
    if (whole === undefined) continue;
    const at = path === '' ? key : `${path}.${key}`;
    const field = schema.fields.find((each) => each.name === key || each.jsonName === key);
    if (!field) {
      return { position: part.position, text: `${schema.typeName} has no field "${key}".${didYouMean(key, schema.fields.map((each) => each.name))}` };
    }
    const about = (item: JsonText, where: string, kind: 'whole' | 'item', why: string): Complaint => {
      // An object of fields each of which is valid, such as two of one oneof, is refused for a reason of its own.
      if (field.message && isPlain(field.message) && isObject(item.value)) return findComplaint(field.message, item, registry, where) ?? { position: item.position, text: `${where}: ${why}.` };
      return { position: item.position, text: `${where} takes ${expectedWords(field, kind)}, not ${shown(item.value)}.` };
    };
    const list = field.fieldKind === 'list' && Array.isArray(part.value);
    if (list || (field.fieldKind === 'map' && isObject(part.value))) {
      for (const [index, item] of part.parts) {
        const why = refusal(key, list ? [item.value] : { [index]: item.value });
        if (why !== undefined) return about(item, `${at}[${JSON.stringify(index)}]`, 'item', why);
      }
    }
    return field.fieldKind === 'message' ? about(part, at, 'whole', whole) : { position: part.position, text: `${at} takes ${expectedWords(field)}, not ${shown(part.value)}.` };
  }
  return undefined;
}
