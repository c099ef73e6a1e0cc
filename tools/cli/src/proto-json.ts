import { fromJson, toJson, type DescMessage, type JsonValue, type Message, type Registry } from '@bufbuild/protobuf';
import { FieldOptions_JSType } from '@bufbuild/protobuf/wkt';
import { CliError } from './cli-error.ts';
import { findComplaint } from './json/complaint.ts';
import { JsonSyntaxError, parseJson, type JsonText, type Position } from './json/json-text.ts';

/** Where something stands, for people. */
export const place = ({ line, column }: Position): string => `line ${line}, column ${column}`;

/** Reads the JSON of a request. Its errors say where it stops being JSON, and `advice`. */
export function readJson(text: string, start?: Position, advice = ''): JsonText {
  try {
    return parseJson(text, start);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new CliError(`The request is not JSON (${place(error.position)}: ${error.message})${advice === '' ? '' : `: ${advice}`}.`, 2);
    throw error;
  }
}

/** A message from proto JSON: proto field names or camel case. Its errors say where, which field, and what that takes. */
export function messageFrom(schema: DescMessage, json: JsonText, registry: Registry): Message {
  try {
    return fromJson(schema, json.value, { registry });
  } catch (error) {
    const complaint = findComplaint(schema, json, registry) ?? { position: json.position, text: `${(error as Error).message}.` };
    const fields = schema.fields.map(({ name }) => name);
    throw new CliError(`The request is no ${schema.typeName}: ${place(complaint.position)}: ${complaint.text} Its fields: ${fields.length > 0 ? fields.join(', ') : 'none'}.`, 2);
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
