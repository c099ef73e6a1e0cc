import { type DescEnum, type DescField, type DescMessage, type DescOneof } from '@bufbuild/protobuf';
import { commentOf, firstSentence } from '../comments.ts';
import { type Schema } from '../types.ts';
import { fieldNotes, fieldSchema, isRequired, type Role, type SchemaContext } from './field-schema.ts';
import { isImplicit, messageWords, oneofRequired } from './rules.ts';

/** At most one member is given, or exactly one where a rule says so. */
function oneofSchema(oneof: DescOneof, { registry }: SchemaContext): Schema {
  const each = oneof.fields.map(({ name }): Schema => ({ title: name, required: [name] }));
  const none: Schema = { title: `no ${oneof.name}`, not: { anyOf: oneof.fields.map(({ name }) => ({ required: [name] })) } };
  return { oneOf: oneofRequired(oneof, registry) ? each : [...each, none] };
}

/** The object of a message, without the fields that are given elsewhere: each a path, as the variables of a route name them. */
export function messageWithout(desc: DescMessage, given: readonly (readonly string[])[], context: SchemaContext): Schema {
  if (given.length === 0) return context.ref(desc, 'request');
  const whole = new Set(given.filter((path) => path.length === 1).map(([name]) => name));
  const within = (field: DescField): readonly (readonly string[])[] => given.filter(([name, ...rest]) => name === field.name && rest.length > 0).map(([, ...rest]) => rest);
  const left = desc.fields.filter(({ name }) => !whole.has(name));
  const schema = fieldsSchema(desc, left, 'request', context);
  const partly = left.filter((field) => within(field).length > 0);
  const inner = partly.flatMap((field) => (field.message ? [[field.name, messageWithout(field.message, within(field), context)] as const] : []));
  // What the path gives is there, whatever the body says.
  const required = ((schema['required'] ?? []) as readonly string[]).filter((name) => !partly.some((field) => field.name === name));
  const { required: _before, ...others } = schema;
  return { ...others, properties: { ...(schema['properties'] as Schema), ...Object.fromEntries(inner) }, ...(required.length > 0 ? { required } : {}) };
}

function fieldsSchema(desc: DescMessage, fields: readonly DescField[], role: Role, context: SchemaContext): Schema {
  const properties = Object.fromEntries(fields.map((field) => [field.name, { ...fieldSchema(field, role, context), ...fieldNotes(field, role, context) }]));
  const required = fields.filter((field) => (role === 'request' ? isRequired(field, context.registry) : isImplicit(field))).map(({ name }) => name);
  const oneofs = desc.oneofs.filter((oneof) => (oneof.fields.length > 1 || oneofRequired(oneof, context.registry)) && oneof.fields.every((field) => fields.includes(field))).map((oneof) => oneofSchema(oneof, context));
  const [only, ...others] = oneofs;
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(role === 'request' ? { additionalProperties: false } : {}),
    ...(others.length > 0 ? { allOf: oneofs } : (only ?? {})),
  };
}

/** The component of a message. */
export function messageSchema(desc: DescMessage, role: Role, context: SchemaContext): Schema {
  const description = [commentOf(desc), ...(role === 'request' ? messageWords(desc, context.registry) : [])].filter((text) => text !== '').join('\n\n');
  return { ...fieldsSchema(desc, desc.fields, role, context), ...(description === '' ? {} : { description }), ...(desc.deprecated ? { deprecated: true } : {}) };
}

/** The component of an enum: its names. */
export function enumSchema(desc: DescEnum): Schema {
  const values = desc.values.map((value) => ({ name: value.name, says: firstSentence(commentOf(value)) }));
  const list = values.filter(({ says }) => says !== '').map(({ name, says }) => `- \`${name}\`: ${says}`);
  const description = [commentOf(desc), list.join('\n')].filter((text) => text !== '').join('\n\n');
  return { type: 'string', enum: values.map(({ name }) => name), ...(description === '' ? {} : { description }), ...(desc.deprecated ? { deprecated: true } : {}) };
}
