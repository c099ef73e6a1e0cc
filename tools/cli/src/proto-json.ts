import { fromJson, toJson, type DescMessage, type JsonValue, type Message, type Registry } from '@bufbuild/protobuf';
import { FieldOptions_JSType } from '@bufbuild/protobuf/wkt';
import { CliError } from './cli-error.ts';

/** Reads JSON text. An integer that a JavaScript number would round stays as it was written, as a string, which proto JSON takes for one. */
export function readJson(text: string): JsonValue {
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '') ? context?.source : value,
    ) as JsonValue;
  } catch (error) {
    throw new CliError(`The request is not JSON (${(error as Error).message}): write it in single quotes, such as '{"id":"acc_…"}'.`, 2);
  }
}

/** A message from proto JSON: proto field names or camel case. Its errors name the field. */
export function messageFrom(schema: DescMessage, json: JsonValue, registry: Registry): Message {
  try {
    return fromJson(schema, json, { registry });
  } catch (error) {
    const fields = schema.fields.map(({ name }) => name);
    throw new CliError(`The request is no ${schema.typeName}: ${(error as Error).message}. Its fields: ${fields.length > 0 ? fields.join(', ') : 'none'}.`, 2);
  }
}

/** Proto JSON as the HTTP API writes it: proto field names, defaults included, and an int64 marked JS_NUMBER as a number. */
export function jsonOf(schema: DescMessage, message: Message, registry: Registry): JsonValue {
  return withNumbers(schema, toJson(schema, message, { registry, useProtoFieldName: true, alwaysEmitImplicit: true }));
}

function withNumbers(schema: DescMessage, json: JsonValue): JsonValue {
  // Well-known types have JSON of their own.
  if (typeof json !== 'object' || json === null || Array.isArray(json) || schema.typeName.startsWith('google.protobuf.')) return json;
  const result: Record<string, JsonValue> = { ...json };
  for (const field of schema.fields) {
    const value = result[field.name];
    if (value === undefined) continue;
    const convert = (item: JsonValue): JsonValue => {
      if (field.message) return withNumbers(field.message, item);
      const number = field.proto.options?.jstype === FieldOptions_JSType.JS_NUMBER ? Number(item) : NaN;
      return Number.isSafeInteger(number) ? number : item;
    };
    if (field.fieldKind === 'map') result[field.name] = Object.fromEntries(Object.entries(value as Record<string, JsonValue>).map(([key, item]) => [key, convert(item)]));
    else result[field.name] = Array.isArray(value) ? value.map(convert) : convert(value);
  }
  return result;
}
