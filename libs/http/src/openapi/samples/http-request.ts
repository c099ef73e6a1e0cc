import { type DescField } from '@bufbuild/protobuf';
import { jsonForm } from '../../transcode/fields.ts';
import { type Route } from '../../transcode/routes.ts';
import { isTextField } from '../text-params.ts';
import { type Json, type JsonObject } from '../types.ts';

/** A request message as HTTP carries it over one route. */
export interface HttpRequest {
  readonly method: string;
  /** Percent-encoded, with its query. */
  readonly target: string;
  /** Undefined when the route takes none, or there is nothing to say. */
  readonly body: Json | undefined;
}

const encode = (text: string): string => encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
const isObject = (json: Json | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json);

function at(json: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, name) => (isObject(inner) ? inner[name] : undefined), json);
}

function without(json: JsonObject, [name = '', ...deeper]: readonly string[]): JsonObject {
  const { [name]: inner, ...others } = json;
  if (inner === undefined) return json;
  if (deeper.length === 0 || !isObject(inner)) return others;
  const left = without(inner, deeper);
  return Object.keys(left).length > 0 ? { ...others, [name]: left } : others;
}

/** The same message with the value at `path`, in a message within it if need be. */
export function withValue(json: JsonObject, [name = '', ...deeper]: readonly string[], value: Json): JsonObject {
  if (deeper.length === 0) return { ...json, [name]: value };
  const inner = json[name];
  return { ...json, [name]: withValue(isObject(inner) ? inner : {}, deeper, value) };
}

/** Text for a variable that covers several segments, one of which may be told by the field's own example. */
function segmentsText(route: Route, name: string, told: Json | undefined): string {
  const variable = route.template.variables.find((one) => one.name === name);
  const segments = route.template.segments.slice(variable?.from, variable?.to);
  const parts = segments.map((segment) => (typeof segment === 'string' ? undefined : segment.literal));
  const given = typeof told === 'string' ? told.split('/') : [];
  const fits = given.length === parts.length && parts.every((part, index) => (part === undefined ? given[index] !== '' : part === given[index]));
  return fits ? given.join('/') : parts.map((part, index) => part ?? `${(parts[index - 1] ?? name).replace(/s$/, '')}_1`).join('/');
}

/** The example with values for all variables of the route's path; those of one segment have them already, if they must be given. */
export function fillPath(route: Route, example: JsonObject): JsonObject {
  return route.template.variables.reduce((filled, { name, single }) => {
    const path = name.split('.');
    const told = at(filled, path);
    if (single && told !== undefined && told !== '') return filled;
    return withValue(filled, path, single ? (pathText(route, name) ?? 1) : segmentsText(route, name, told));
  }, example);
}

/** Text for a variable that the example left out; undefined for a number. */
function pathText(route: Route, name: string): Json | undefined {
  const field = name.split('.').reduce<DescField | undefined>((found, part, index) => (index === 0 ? route.desc.input : found?.message)?.fields.find((one) => one.name === part), undefined);
  if (field?.enum) return field.enum.values.at(-1)?.name;
  if (field?.message) return jsonForm(field.message) === 'wrapper' ? 1 : '2026-01-31T12:00:00Z';
  return field && /^(?:9|12)$/.test(String(field.scalar)) ? `${name.split('.').at(-1) ?? name}_1` : undefined;
}

function pathOf(route: Route, example: JsonObject): string {
  const { template } = route;
  const values = template.variables.map((variable) => ({ variable, parts: variable.single ? [String(at(example, variable.name.split('.')) ?? '')] : String(at(example, variable.name.split('.')) ?? '').split('/') }));
  const segments = template.segments.flatMap((segment, index) => {
    if (typeof segment !== 'string') return [encode(segment.literal)];
    const found = values.find(({ variable }) => index >= variable.from && index < (variable.to ?? Infinity));
    if (!found) return ['part'];
    const own = index - found.variable.from;
    return (segment === 'rest' ? found.parts.slice(own) : [found.parts[own] ?? '']).map(encode);
  });
  return `/${segments.join('/')}${template.verb === undefined ? '' : `:${encode(template.verb)}`}`;
}

/** A message as the pairs of a query or a form; what text cannot hold is left out. */
export function textPairs(fields: readonly DescField[], json: JsonObject, prefix = ''): readonly (readonly [name: string, text: string])[] {
  return fields.flatMap((field): readonly (readonly [string, string])[] => {
    const value = json[field.name];
    if (value === undefined) return [];
    const name = prefix + field.name;
    if (isTextField(field)) return (Array.isArray(value) ? (value as readonly Json[]) : [value]).map((one) => [name, String(one)]);
    return field.fieldKind === 'message' && isObject(value) ? textPairs(field.message.fields, value, `${name}.`) : [];
  });
}

/** How a request message, with values for the path, goes over a route. */
export function httpRequest(route: Route, example: JsonObject): HttpRequest {
  const { body, desc, template, method } = route;
  const beside = template.variables.reduce((left, { name }) => without(left, name.split('.')), example);
  const inQuery = body === 'all' ? {} : body === 'none' ? beside : without(beside, [body.name]);
  const query = textPairs(desc.input.fields, inQuery)
    .map(([name, text]) => `${encode(name)}=${encode(text)}`)
    .join('&');
  const sent = body === 'none' ? undefined : body === 'all' ? beside : (beside[body.name] ?? (body.fieldKind === 'list' ? [] : body.message ? {} : undefined));
  return { method: method === '*' ? 'POST' : method, target: `${pathOf(route, example)}${query === '' ? '' : `?${query}`}`, body: sent };
}
