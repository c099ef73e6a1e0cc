import { getExtension, hasExtension, ScalarType, toJson, type DescExtension, type DescField, type DescMessage, type DescOneof, type Message, type Registry } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence as Presence } from '@bufbuild/protobuf/wkt';
import { type Json, type JsonObject } from '../types.ts';
import { isTextNumber } from './scalar-schema.ts';

/** What buf.validate says of a value: the parts for its type, with proto names, and what is common to all types. */
export interface Rules {
  /** `{ min_len: '1' }`; 64-bit numbers are strings, as proto3 JSON has them. */
  readonly typed: JsonObject;
  readonly required: boolean;
  /** Whether rules do not apply to a zero value. */
  readonly zeroIgnored: boolean;
  /** Sentences for what only an expression says. */
  readonly words: readonly string[];
}

/** No rules. */
export const NO_RULES: Rules = { typed: {}, required: false, zeroIgnored: false, words: [] };

const COMMON = new Set(['required', 'ignore', 'cel', 'cel_expression']);
const isObject = (json: Json | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json);

function wordsOf(cel: Json | undefined): readonly string[] {
  return (Array.isArray(cel) ? (cel as readonly Json[]) : []).flatMap((rule) => {
    const { message, expression } = isObject(rule) ? rule : {};
    const text = message || (expression && `Must hold: \`${String(expression)}\``);
    return typeof text === 'string' ? [text.replace(/\.?$/, '.')] : [];
  });
}

/** The rules in the JSON form of `buf.validate.FieldRules`. */
export function rulesFrom(json: Json | undefined): Rules {
  if (!isObject(json) || json['ignore'] === 'IGNORE_ALWAYS') return NO_RULES;
  const typed = Object.entries(json).find(([name, value]) => !COMMON.has(name) && isObject(value))?.[1];
  return {
    typed: isObject(typed) ? typed : {},
    required: json['required'] === true,
    zeroIgnored: typeof json['ignore'] === 'string' && json['ignore'] !== 'IGNORE_UNSPECIFIED',
    words: wordsOf(json['cel']),
  };
}

/** An option of a descriptor as JSON. Contracts declare what they use of buf.validate, so their own registry can read it. */
function optionJson(desc: DescField | DescMessage | DescOneof, name: string, registry: Registry): Json | undefined {
  const extension: DescExtension | undefined = registry.getExtension(name);
  const options: Message | undefined = desc.proto.options;
  // getExtension would make an empty message for an absent option.
  if (!extension?.message || !options || !hasExtension(options, extension)) return undefined;
  return toJson(extension.message, getExtension(options, extension) as Message, { registry, useProtoFieldName: true });
}

/** What a field must hold. */
export function fieldRules(field: DescField, registry: Registry): Rules {
  return rulesFrom(optionJson(field, 'buf.validate.field', registry));
}

/** Whether one member of a oneof must be set. */
export function oneofRequired(oneof: DescOneof, registry: Registry): boolean {
  const json = optionJson(oneof, 'buf.validate.oneof', registry);
  return isObject(json) && json['required'] === true;
}

/** Sentences for what holds for a message as a whole. */
export function messageWords(message: DescMessage, registry: Registry): readonly string[] {
  const json = optionJson(message, 'buf.validate.message', registry);
  return isObject(json) ? wordsOf(json['cel']) : [];
}

/** Whether a field that was not sent holds its zero value, to which rules apply. */
export function isImplicit(field: DescField): boolean {
  return field.presence === Presence.IMPLICIT;
}

/** The zero value of a field without presence, as proto3 JSON shows it. */
export function zeroOf(field: DescField): Json {
  if (field.fieldKind === 'list') return [];
  if (field.fieldKind === 'map') return {};
  if (field.enum) return field.enum.values[0]?.name ?? '';
  if (field.scalar === ScalarType.BOOL) return false;
  if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES) return '';
  return field.scalar !== undefined && isTextNumber(field.scalar, field) ? '0' : 0;
}
