import { fromBinary, ScalarType, type DescMessage, type FileRegistry } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { badRequest, internal, type FieldViolation, type ServiceError } from '@talaria/errors';
import type { Violation } from '@bufbuild/protovalidate';

/** Throws what is wrong with a request, in its binary form. */
export type MessageValidator = (bytes: Uint8Array) => void;

/** A path in proto names: `items[1].amount`. */
function pathOf(violation: Violation): string {
  return violation.field
    .map((step, index) => {
      switch (step.kind) {
        case 'field':
          return `${index > 0 ? '.' : ''}${step.name}`;
        case 'oneof':
          return `${index > 0 ? '.' : ''}${step.name}`;
        case 'list_sub':
          return `[${step.index}]`;
        case 'map_sub':
          return `[${JSON.stringify(typeof step.key === 'bigint' ? step.key.toString() : step.key)}]`;
        case 'extension':
          return `${index > 0 ? '.' : ''}[${step.typeName}]`;
        default:
          return '';
      }
    })
    .join('');
}

/** Whether a violation says that a field of the request is absent. For numbers, 0 is absent and may have been sent all the same. */
function saysMissing({ field: path, ruleId }: Violation, message: ReturnType<typeof reflect>): boolean {
  const [first, ...deeper] = path;
  if (deeper.length > 0 || first?.kind !== 'field' || message.isSet(first)) return false;
  const number = first.fieldKind === 'enum' || (first.fieldKind === 'scalar' && first.scalar !== ScalarType.STRING && first.scalar !== ScalarType.BYTES);
  return !number || ruleId === 'required';
}

function toError(violations: readonly Violation[], message: ReturnType<typeof reflect>): ServiceError {
  const found: FieldViolation[] = violations.map((violation) => ({ field: pathOf(violation), description: violation.message }));
  const [first] = found;
  const missing = violations.every((violation) => saysMissing(violation, message));
  const what = missing ? 'missing_param' : 'invalid_param';
  const text = found.map(({ field, description }) => (field === '' ? description : `${field}: ${description}`)).join('; ');
  return badRequest(what, missing ? `A parameter is missing: ${text}.` : `A parameter is wrong: ${text}.`, {
    params: first && first.field !== '' ? { param: first.field } : {},
    violations: found,
  });
}

/** A validator for one type of request. protovalidate is loaded only now. */
export async function messageValidator(schema: DescMessage, registry: FileRegistry): Promise<MessageValidator> {
  const { createValidator } = await import('@bufbuild/protovalidate');
  // The registry makes predefined rules of the contract's own files known. Plans are cached in the validator.
  const validator = createValidator({ registry });
  return (bytes) => {
    const message = fromBinary(schema, bytes);
    const result = validator.validate(schema, message);
    if (result.kind === 'valid') return;
    if (result.kind === 'error') throw internal('validation', `The rules of ${schema.typeName} cannot be evaluated.`, { cause: result.error });
    throw toError(result.violations, reflect(schema, message));
  };
}
