import { closest } from '@talaria/base';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { DURATION_KEYWORD, parseDuration } from '../duration.ts';
import type { PublishedSetting } from '../live/published-schema.ts';
import { isRecord, type JsonValue } from './json.ts';
import { schemaWords } from './schema-words.ts';

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  verbose: true,
  logger: false,
  formats: { uri: (text: string) => URL.canParse(text) },
});
ajv.addKeyword({ keyword: DURATION_KEYWORD, validate: isWithin, errors: false });
const compiled = new WeakMap<PublishedSetting, ValidateFunction>();

const MAX_SHOWN = 60;

/** What a duration's pattern cannot say. */
function isWithin(limits: unknown, value: unknown): boolean {
  const ms = typeof value === 'string' ? parseDuration(value) : value;
  if (typeof ms !== 'number' || !isRecord(limits)) return true;
  const { min, max } = limits;
  return !(typeof min === 'number' && ms < min) && !(typeof max === 'number' && ms > max);
}

function validatorOf(setting: PublishedSetting): ValidateFunction {
  let validate = compiled.get(setting);
  if (!validate) {
    // An id would be kept, and refused the second time that another version brings it.
    const { $id: _, ...schema } = setting.schema;
    validate = ajv.compile(schema);
    compiled.set(setting, validate);
  }
  return validate;
}

/** What is wrong with a value, as a sentence that names what the setting takes; undefined if it fits. A secret is not shown. */
export function complaintAbout(name: string, setting: PublishedSetting, value: JsonValue): string | undefined {
  let validate: ValidateFunction;
  try {
    validate = validatorOf(setting);
  } catch (error) {
    return `The published schema of ${name} cannot be used: ${(error as Error).message}.`;
  }
  if (validate(value)) return undefined;
  const about = setting.description === '' ? '' : ` (${setting.description}${setting.unit === undefined ? '' : `, in ${setting.unit}`})`;
  if (setting.secret) return `${name} takes ${schemaWords(setting.schema)}${about}; what was given is secret, and not shown.`;
  const error = tellingError(validate.errors ?? []);
  return `${error ? sentence(name, error, setting.schema) : `${name} takes ${schemaWords(setting.schema)}, not ${shown(value)}`}${about}.`;
}

/** A value as messages show it: JSON, cut when it is long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** The error that says most: of a union the branch that the value was meant for, where that can be told. */
function tellingError(all: readonly ErrorObject[]): ErrorObject | undefined {
  // Of a wrong name the error that says that it is one.
  const errors = all.filter(({ propertyName, keyword }) => propertyName === undefined || keyword === 'propertyNames');
  const union = errors.find(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  if (!union) return errors.toSorted((a, b) => b.instancePath.length - a.instancePath.length)[0];
  const branches = [
    ...Map.groupBy(
      errors.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/`)),
      ({ schemaPath }) => schemaPath.slice(union.schemaPath.length + 1).split('/', 1)[0] ?? '',
    ).values(),
  ];
  const isDeeper = ({ instancePath, keyword }: ErrorObject): boolean => instancePath.length > union.instancePath.length && keyword !== 'const';
  const isOfProperties = (error: ErrorObject): boolean => isDeeper(error) || error.keyword === 'required' || error.keyword === 'additionalProperties';
  // A branch is meant if what is wrong with it is further in, else if it is only about properties: and if it is the only one.
  const meant = [isDeeper, isOfProperties].map((fits) => branches.filter((branch) => branch.every(fits))).find(({ length }) => length > 0);
  return (meant?.length === 1 && meant[0] ? tellingError(meant[0]) : undefined) ?? union;
}

function sentence(name: string, error: ErrorObject, root: Readonly<Record<string, unknown>>): string {
  const { instancePath, keyword, params, parentSchema, data } = error as ErrorObject & { readonly params: Readonly<Record<string, unknown>> };
  const at = instancePath.split('/').slice(1).reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part.replaceAll('~1', '/').replaceAll('~0', '~')}`), name);
  if (keyword === 'required') return `${at} lacks the property ${JSON.stringify(params['missingProperty'])}`;
  if (keyword === 'additionalProperties') {
    const known = isRecord(parentSchema?.['properties']) ? Object.keys(parentSchema['properties']) : [];
    const extra = String(params['additionalProperty']);
    const near = closest(extra, known);
    return `${at} has no property ${JSON.stringify(extra)}${near === undefined ? `, but ${known.join(', ')}` : `: did you mean ${JSON.stringify(near)}?`}`;
  }
  if (keyword === 'propertyNames') return `${at} takes no property called ${JSON.stringify(params['propertyName'])}: a name is ${schemaWords(parentSchema?.['propertyNames'], root)}`;
  return `${at} takes ${schemaWords(parentSchema, root)}, not ${shown(data)}`;
}
