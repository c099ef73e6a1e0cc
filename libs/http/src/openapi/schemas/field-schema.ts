import { ScalarType, type DescEnum, type DescField, type DescMessage, type Registry } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence as Presence } from '@bufbuild/protobuf/wkt';
import { jsonForm } from '../../transcode/fields.ts';
import { commentOf } from '../comments.ts';
import { exampleIn } from '../examples/from-comment.ts';
import { type JsonObject, type Schema } from '../types.ts';
import { every, keyword, noneOf, oneOf, type Constraint } from './constraint.ts';
import { fieldRules, isImplicit, NO_RULES, rulesFrom, zeroOf, type Rules } from './rules.ts';
import { scalarSchema, specialSchema } from './scalar-schema.ts';
import { stringConstraint } from './string-rules.ts';
import { listConstraint, mapConstraint, valueConstraint } from './value-rules.ts';

/** Requests are held to the validation rules and hold no unknown names; answers have every field without presence. */
export type Role = 'request' | 'answer';

/** What making schemas needs. */
export interface SchemaContext {
  readonly registry: Registry;
  /** The schema that stands for a message or an enum: a `$ref`. */
  ref(desc: DescMessage | DescEnum, role: Role): Schema;
}

const NULL_VALUE = 'google.protobuf.NullValue';

/** One value of a field, without rules. */
function bareValue(field: DescField, role: Role, { ref }: SchemaContext): Schema {
  if (field.message) return jsonForm(field.message) === 'fields' ? ref(field.message, role) : specialSchema(field.message);
  if (field.enum) return field.enum.typeName === NULL_VALUE ? { type: 'null' } : ref(field.enum, role);
  return scalarSchema(field.scalar ?? ScalarType.STRING, field);
}

/** Keywords beside those of the value; a bound replaces the one that only says what the type can hold. */
function joined(base: Schema, added: Schema): Schema {
  const has = (...names: readonly string[]): boolean => names.some((name) => Object.hasOwn(added, name));
  const replaced = (name: string): boolean => (name === 'minimum' && has('minimum', 'exclusiveMinimum')) || (name === 'maximum' && has('maximum', 'exclusiveMaximum'));
  const kept = Object.entries(base).filter(([name]) => !replaced(name));
  return every([keyword(Object.fromEntries(kept), () => true), keyword(added, () => true)]).schema;
}

/** What `required` means for a value that has no presence: not zero. Source: https://protovalidate.com/reference/rules/field_rules/#required */
function notZero(field: DescField): Constraint {
  const zero = zeroOf(field);
  if (field.fieldKind === 'list') return listConstraint({ min_items: 1 });
  if (field.fieldKind === 'map') return mapConstraint({ min_pairs: 1 });
  if (zero === false) return oneOf([true]);
  return zero === '' ? keyword({ minLength: 1 }, (value) => value !== '') : noneOf([zero]);
}

/** What a request's field must hold. */
export function fieldConstraint(field: DescField, rules: Rules): Constraint {
  const { typed } = rules;
  const own = field.fieldKind === 'list' ? listConstraint(typed) : field.fieldKind === 'map' ? mapConstraint(typed) : valueConstraint(field, typed);
  const asked = Object.hasOwn(own.schema, 'minLength') || Object.hasOwn(own.schema, 'minItems') || Object.hasOwn(own.schema, 'const') || Object.hasOwn(own.schema, 'enum');
  return every([own, ...(rules.required && isImplicit(field) && !asked ? [notZero(field)] : []), { schema: {}, words: rules.words, fits: () => true }]);
}

const part = (rules: JsonObject, name: string): JsonObject => rulesFrom(rules[name]).typed;

function keysSchema(field: DescField & { fieldKind: 'map' }, rules: JsonObject): JsonObject {
  const keys: Schema =
    field.mapKey === ScalarType.STRING ? stringConstraint(part(rules, 'keys')).schema : field.mapKey === ScalarType.BOOL ? { enum: ['true', 'false'] } : { pattern: '^-?[0-9]+$' };
  return Object.keys(keys).length > 0 ? { propertyNames: keys } : {};
}

/** The JSON of a field, with what the rules ask of it if it stands in a request. */
export function fieldSchema(field: DescField, role: Role, context: SchemaContext): Schema {
  const rules = role === 'request' ? fieldRules(field, context.registry) : NO_RULES;
  const value = bareValue(field, role, context);
  const whole = fieldConstraint(field, rules).schema;
  if (field.fieldKind === 'list') return { type: 'array', items: joined(value, valueConstraint(field, part(rules.typed, 'items')).schema), ...whole };
  if (field.fieldKind === 'map') return { type: 'object', additionalProperties: joined(value, valueConstraint(field, part(rules.typed, 'values')).schema), ...keysSchema(field, rules.typed), ...whole };
  return joined(value, whole);
}

/** What is said about a field besides its shape. */
export function fieldNotes(field: DescField, role: Role, { registry }: SchemaContext): Schema {
  const rules = role === 'request' ? fieldRules(field, registry) : NO_RULES;
  const constraint = fieldConstraint(field, rules);
  const description = [commentOf(field), ...constraint.words].filter((text) => text !== '').join(' ');
  const example = field.fieldKind === 'scalar' ? exampleIn(commentOf(field)) : undefined;
  const told = example !== undefined && field.scalar === ScalarType.STRING && constraint.fits(example);
  return { ...(description === '' ? {} : { description }), ...(field.deprecated ? { deprecated: true } : {}), ...(told ? { examples: [example] } : {}) };
}

/** Whether a request without this field is refused: it is required, or its zero value breaks a rule. */
export function isRequired(field: DescField, registry: Registry): boolean {
  if (field.presence === Presence.LEGACY_REQUIRED) return true;
  const rules = fieldRules(field, registry);
  if (rules.required) return true;
  if (!isImplicit(field) || rules.zeroIgnored) return false;
  return !fieldConstraint(field, { ...rules, words: [] }).fits(zeroOf(field));
}
