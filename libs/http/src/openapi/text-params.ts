import { type DescField, type DescMessage } from '@bufbuild/protobuf';
import { jsonForm } from '../transcode/fields.ts';
import { fieldNotes, fieldSchema, isRequired, type SchemaContext } from './schemas/field-schema.ts';
import { type Schema } from './types.ts';

/** A field that the text of a query or a form can hold. */
export interface TextParam {
  /** `shelf.id`. */
  readonly name: string;
  readonly fields: readonly DescField[];
  readonly required: boolean;
  readonly schema: Schema;
  readonly notes: Schema;
}

/** Whether text can hold a value of this field: not an object of its own, nor a map, nor free JSON. */
export function isTextField(field: DescField): boolean {
  if (field.fieldKind === 'map') return false;
  return !field.message || ['string', 'wrapper'].includes(jsonForm(field.message));
}

/**
 * The fields of a message as parameters, `a.b` for those of a message within it. `given` are paths that something else gives.
 * A message within itself is not followed: it could go on for ever.
 */
export function textParams(desc: DescMessage, given: ReadonlySet<string>, context: SchemaContext): readonly TextParam[] {
  const found: TextParam[] = [];
  const visit = (at: DescMessage, before: readonly DescField[], needed: boolean, within: readonly DescMessage[]): void => {
    for (const field of at.fields) {
      const fields = [...before, field];
      const name = fields.map((one) => one.name).join('.');
      if (given.has(name)) continue;
      const required = needed && isRequired(field, context.registry);
      if (isTextField(field)) found.push({ name, fields, required, schema: fieldSchema(field, 'request', context), notes: fieldNotes(field, 'request', context) });
      else if (field.fieldKind === 'message' && jsonForm(field.message) === 'fields' && !within.includes(field.message)) visit(field.message, fields, required, [...within, field.message]);
    }
  };
  visit(desc, [], true, [desc]);
  return found;
}

/** Whether a form can hold all that must be given. */
export function fitsForm(desc: DescMessage, context: SchemaContext): boolean {
  return desc.fields.every((field) => isTextField(field) || (field.fieldKind === 'message' && jsonForm(field.message) === 'fields') || !isRequired(field, context.registry));
}

/** The object that a form stands for. */
export function formSchema(params: readonly TextParam[], options: { readonly open: boolean }): Schema {
  const required = params.filter((param) => param.required).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(params.map(({ name, schema, notes }) => [name, { ...schema, ...notes }])),
    ...(required.length > 0 ? { required } : {}),
    ...(options.open ? {} : { additionalProperties: false }),
  };
}
