import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { findField, join, jsonForm } from './fields.ts';
import { specialFromText, type ReadContext } from './from-json.ts';
import { enumFrom, isJsNumber, scalarFromText, type Fit } from './scalars.ts';

/** Deeper parameters (`a.b.c…`) are refused. */
const MAX_PATH = 32;

/** The fields that lead to a parameter's value, or why there are none. */
function resolvePath(desc: DescMessage, name: string): readonly DescField[] | undefined {
  const parts = name.split('.', MAX_PATH + 1);
  if (parts.length > MAX_PATH) return undefined;
  const fields: DescField[] = [];
  let at: DescMessage | undefined = desc;
  for (const part of parts) {
    const field: DescField | undefined = at && findField(at, part);
    if (!field) return undefined;
    fields.push(field);
    at = field.fieldKind === 'message' && jsonForm(field.message) === 'fields' ? field.message : undefined;
  }
  return fields;
}

function valueFromText(field: DescField, text: string, context: ReadContext): Fit {
  if (field.fieldKind === 'map') return { misfit: 'is a map, which only a JSON body can hold' };
  if (field.message) {
    const form = jsonForm(field.message);
    if (form === 'string' || form === 'wrapper') return specialFromText(field.message, text, context);
    return { misfit: form === 'fields' && field.fieldKind === 'message' ? 'is an object: name its fields, as in a.b=1' : 'can only stand in a JSON body' };
  }
  if (field.enum) return enumFrom(field.enum, text, 'text');
  return scalarFromText(field.scalar ?? ScalarType.STRING, text, isJsNumber(field));
}

/** Reads parameters into `target`; keeps what was given, so that nothing is given twice. */
export interface ParamReader {
  /** One pair of a query or a form. `ignoreUnknown`: as RFC 6749 wants it for OAuth. */
  read(name: string, text: string, options?: { readonly ignoreUnknown?: boolean }): void;
  /** A path variable; it may repeat what the body says, but not contradict it. */
  readPath(name: string, text: string): void;
  /** From now on `name` (a proto path) counts as given, `by` something else: `the body`. */
  reserve(name: string, by: string): void;
}

/** Makes one; `prefix` leads the names in mistakes. */
export function paramReader(target: ReflectMessage, context: ReadContext, prefix = ''): ParamReader {
  const { mistakes } = context;
  const given = new Map<string, string>();

  /** The message that holds the last field, made on the way. */
  const holder = (fields: readonly DescField[]): ReflectMessage => {
    let at = target;
    for (const field of fields.slice(0, -1)) {
      // get() gives a new message when the field is unset; only set() keeps it.
      const inner = at.get(field) as ReflectMessage;
      if (!at.isSet(field)) at.set(field, inner);
      at = inner;
    }
    return at;
  };

  const taken = (fields: readonly DescField[]): string | undefined => {
    let path = '';
    for (const field of fields) {
      path = join(path, field.name);
      const by = given.get(path);
      if (by !== undefined && (by !== '' || field.fieldKind !== 'list')) return by === '' ? 'is given twice' : `is given by ${by}`;
    }
    return undefined;
  };

  return {
    reserve: (name, by) => void given.set(name, by),
    read(name, text, { ignoreUnknown = false } = {}) {
      const fields = resolvePath(target.desc, name);
      const path = join(prefix, fields?.map((field) => field.name).join('.') ?? name);
      const field = fields?.at(-1);
      if (!fields || !field) {
        if (!ignoreUnknown) mistakes.add('unknown_param', path, 'is not a field of this request');
        return;
      }
      const clash = taken(fields) ?? oneofClash(target, fields);
      if (clash !== undefined) {
        mistakes.add('duplicate_param', path, clash);
        return;
      }
      const fit = valueFromText(field, text, context);
      if ('misfit' in fit) {
        mistakes.add('invalid_param', path, fit.misfit);
        return;
      }
      const at = holder(fields);
      if (field.fieldKind === 'list') at.get(field).add(fit.value);
      else at.set(field, fit.value);
      given.set(fields.map((one) => one.name).join('.'), '');
    },
    readPath(name, text) {
      const fields = resolvePath(target.desc, name);
      const field = fields?.at(-1);
      if (!fields || !field || field.fieldKind === 'list') throw new Error(`path variable ${name} names no singular field`); // Refused when the route was made.
      const fit = valueFromText(field, text, context);
      if ('misfit' in fit) mistakes.add('invalid_param', join(prefix, name), fit.misfit);
      else {
        const at = holder(fields);
        if (at.isSet(field) && at.get(field) !== fit.value) mistakes.add('duplicate_param', join(prefix, name), 'says something else than the path');
        else at.set(field, fit.value);
      }
      given.set(fields.map((one) => one.name).join('.'), 'the path');
    },
  };
}

/** Whether another member of the same oneof is set already, on any level. */
function oneofClash(target: ReflectMessage, fields: readonly DescField[]): string | undefined {
  let at: ReflectMessage | undefined = target;
  for (const field of fields) {
    const set: DescField | undefined = field.oneof && at?.oneofCase(field.oneof);
    if (set && set !== field) return `only one of ${field.oneof?.name ?? ''} may be given`;
    at = at && field.fieldKind === 'message' && at.isSet(field) ? at.get(field) : undefined;
  }
  return undefined;
}

/** Whether a path variable can fill `name` of this message. */
export function isPathField(desc: DescMessage, name: string): boolean {
  const field = resolvePath(desc, name)?.at(-1);
  if (!field || field.fieldKind === 'list' || field.fieldKind === 'map') return false;
  return !field.message || ['string', 'wrapper'].includes(jsonForm(field.message));
}
