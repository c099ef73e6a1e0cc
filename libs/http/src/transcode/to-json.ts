import { toJson, type DescField, type DescMessage, type Message, type Registry } from '@bufbuild/protobuf';
import { internal } from '@talaria/errors';
import { jsonForm } from './fields.ts';
import { isJsNumber } from './scalars.ts';

type Json = Record<string, unknown>;
const numeric = new WeakMap<DescMessage, boolean>();

/** Whether a message can hold a field with `jstype = JS_NUMBER`, at any depth. */
function holdsJsNumber(desc: DescMessage): boolean {
  const known = numeric.get(desc);
  if (known !== undefined) return known;
  const visited = new Set<DescMessage>();
  const visit = (at: DescMessage): boolean => {
    if (visited.has(at)) return false;
    visited.add(at);
    return at.fields.some((field) => isJsNumber(field) || (field.message !== undefined && jsonForm(field.message) === 'fields' && visit(field.message)));
  };
  const found = visit(desc);
  numeric.set(desc, found);
  return found;
}

/** protobuf-es writes every int64 as a string; those marked JS_NUMBER become numbers, never rounded ones. */
function toNumber(field: DescField, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw internal('inexact_number', `${field.name} lies beyond ±(2^53−1), where JSON readers round.`);
  return number;
}

function withNumbers(desc: DescMessage, json: unknown): void {
  if (typeof json !== 'object' || json === null || jsonForm(desc) !== 'fields' || !holdsJsNumber(desc)) return;
  const object = json as Json;
  for (const field of desc.fields) {
    if (!Object.hasOwn(object, field.name)) continue;
    const value = object[field.name];
    const { message } = field;
    const each = (one: unknown): unknown => {
      if (message) withNumbers(message, one);
      return message ? one : toNumber(field, one);
    };
    if (!message && !isJsNumber(field)) continue;
    if (field.fieldKind === 'list') object[field.name] = (value as unknown[]).map(each);
    else if (field.fieldKind === 'map') object[field.name] = Object.fromEntries(Object.entries(value as Json).map(([key, one]) => [key, each(one)]));
    else object[field.name] = each(value);
  }
}

/** A message as JSON text after the proto3 mapping, with proto field names and with fields that hold their default. */
export function writeJson(desc: DescMessage, message: Message, options: { readonly registry: Registry; readonly only?: DescField | undefined }): string {
  const json: unknown = toJson(desc, message, { alwaysEmitImplicit: true, useProtoFieldName: true, registry: options.registry });
  withNumbers(desc, json);
  if (!options.only) return JSON.stringify(json);
  // `response_body`: a message field that is unset has no JSON of its own.
  return JSON.stringify((json as Json)[options.only.name] ?? null);
}
