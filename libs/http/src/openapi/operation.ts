import { type DescField, type DescMessage } from '@bufbuild/protobuf';
import { isOAuth } from '../gateway/oauth.ts';
import { jsonForm } from '../transcode/fields.ts';
import { wantsBody, type Route } from '../transcode/routes.ts';
import { commentOf, firstSentence } from './comments.ts';
import { messageExample } from './examples/example-request.ts';
import { type OpenApiPath, type PathParam } from './path-template.ts';
import { fillPath, httpRequest, textPairs } from './samples/http-request.ts';
import { bufCurlSample, curlSample } from './samples/shell.ts';
import { clientSample } from './samples/client.ts';
import { fieldNotes, fieldSchema, type SchemaContext } from './schemas/field-schema.ts';
import { messageWithout } from './schemas/message-schema.ts';
import { specialSchema } from './schemas/scalar-schema.ts';
import { ANSWER_HEADERS, problemResponses } from './shared-components.ts';
import { fitsForm, formSchema, textParams } from './text-params.ts';
import { type CodeSample, type Json, type JsonObject, type Operation, type Parameter, type Schema } from './types.ts';

/** What describing an operation needs besides its route. */
export interface OperationOptions {
  readonly operationId: string;
  readonly place: OpenApiPath;
  readonly schemas: SchemaContext;
  /** The scopes that a principal must hold. */
  readonly scopes: readonly string[];
  /** The package of the generated code, for the samples. */
  readonly contractsPackage: string;
  readonly deprecated: boolean;
}

/** The client that development platforms know. */
const DEV_CLIENT = { client_id: 'dev', client_secret: 'dev-secret' };

/** The field that a variable names. */
function fieldAt(desc: DescMessage, name: string): DescField | undefined {
  return name.split('.').reduce<DescField | undefined>((found, part, index) => (index === 0 ? desc : found?.message)?.fields.find((field) => field.name === part), undefined);
}

/** `shelves/*`: what of a variable's pattern a parameter stands for. */
function patternText(route: Route, { variable }: PathParam): string {
  const segments = route.template.segments.slice(variable.from, variable.to);
  return segments.map((segment) => (segment === 'one' ? '*' : segment === 'rest' ? '**' : segment.literal)).join('/');
}

function pathParameter(route: Route, param: PathParam, { schemas }: OperationOptions, example: Json | undefined): Parameter {
  const field = fieldAt(route.desc.input, param.variable.name);
  const described = field ? fieldNotes(field, 'request', schemas) : {};
  const told = example === undefined ? {} : { example };
  if (param.whole && field) {
    const schema = fieldSchema(field, 'request', schemas);
    const filled = schema['type'] === 'string' && schema['minLength'] === undefined && schema['const'] === undefined && schema['enum'] === undefined ? { ...schema, minLength: 1 } : schema;
    const { description } = described;
    return { name: param.name, in: 'path', required: true, schema: filled, ...(typeof description === 'string' ? { description } : {}), ...told };
  }
  const own = typeof described['description'] === 'string' ? `${described['description']} ` : '';
  const rest = param.rest ? ' It may hold several segments.' : '';
  return { name: param.name, in: 'path', required: true, schema: { type: 'string', minLength: 1 }, description: `${own}This is a segment of \`${param.variable.name}\`, which is \`${patternText(route, param)}\`.${rest}`, ...told };
}

function queryParameters(route: Route, { schemas }: OperationOptions, example: JsonObject): readonly Parameter[] {
  if (route.body === 'all') return [];
  const given = new Set([...route.template.variables.map(({ name }) => name), ...(route.body === 'none' ? [] : [route.body.name])]);
  return textParams(route.desc.input, given, schemas).map(({ name, fields, required, schema, notes }): Parameter => {
    const { description, deprecated, ...more } = notes;
    const told = fields.reduce<Json | undefined>((at, field) => (typeof at === 'object' && at !== null && !Array.isArray(at) ? (at as JsonObject)[field.name] : undefined), example);
    return {
      name,
      in: 'query',
      required,
      schema: { ...schema, ...more },
      ...(typeof description === 'string' ? { description } : {}),
      ...(deprecated === true ? { deprecated } : {}),
      ...(told === undefined ? {} : { example: told }),
    };
  });
}

/** The body as JSON: what the path gives is left out of it. */
function jsonBody({ template, desc: { input } }: Route, body: 'all' | DescField, { schemas }: OperationOptions): Schema {
  const inPath = template.variables.map(({ name }) => name.split('.'));
  if (body === 'all') return jsonForm(input) === 'fields' ? messageWithout(input, inPath, schemas) : specialSchema(input);
  const within = inPath.filter(([name, ...rest]) => name === body.name && rest.length > 0).map(([, ...rest]) => rest);
  return within.length > 0 && body.fieldKind === 'message' ? messageWithout(body.message, within, schemas) : fieldSchema(body, 'request', schemas);
}

function formBody(route: Route, body: 'all' | DescField, { schemas }: OperationOptions): Schema | undefined {
  const target = body === 'all' ? route.desc.input : body.fieldKind === 'message' ? body.message : undefined;
  if (!target || jsonForm(target) !== 'fields' || !fitsForm(target, schemas)) return undefined;
  const prefix = body === 'all' ? '' : `${body.name}.`;
  const given = new Set(route.template.variables.flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : [])));
  return formSchema(textParams(target, given, schemas), { open: isOAuth(route.pattern) });
}

/** The same example as a form has it: `a.b` for fields of fields. */
function formExample({ desc }: Route, example: Json): JsonObject {
  const lists = new Map<string, string[]>();
  for (const [name, text] of textPairs(desc.input.fields, example as JsonObject)) lists.set(name, [...(lists.get(name) ?? []), text]);
  return Object.fromEntries([...lists].map(([name, texts]) => [name, texts.length === 1 ? (texts[0] ?? '') : texts]));
}

function requestBody(route: Route, options: OperationOptions, sent: Json | undefined): JsonObject | undefined {
  const { body } = route;
  if (body === 'none') return undefined;
  const form = formBody(route, body, options);
  const told = sent === undefined ? {} : { example: sent };
  const json = isOAuth(route.pattern) ? {} : { 'application/json': { schema: jsonBody(route, body, options), ...told } };
  // The example is that of a form only where there is no JSON.
  const asForm = form && { 'application/x-www-form-urlencoded': { schema: form, ...(isOAuth(route.pattern) && sent ? { example: formExample(route, sent) } : {}) } };
  const description = body === 'all' ? commentOf(route.desc.input) : commentOf(body);
  return { ...(description === '' ? {} : { description }), required: wantsBody(route), content: { ...json, ...(asForm ?? {}) } };
}

function answerSchema(route: Route, { schemas }: OperationOptions): Schema {
  const { responseBody, desc } = route;
  if (!responseBody) return jsonForm(desc.output) === 'fields' ? schemas.ref(desc.output, 'answer') : specialSchema(desc.output);
  const schema = fieldSchema(responseBody, 'answer', schemas);
  const absent = responseBody.fieldKind !== 'list' && responseBody.fieldKind !== 'map' && responseBody.presence === 1;
  return absent ? { anyOf: [schema, { type: 'null' }] } : schema;
}

function responses(route: Route, options: OperationOptions): Operation['responses'] {
  const streams = route.desc.methodKind === 'server_streaming';
  const said = commentOf(route.desc.output) || 'It went well.';
  const ok = {
    description: streams ? `${said}\n\nOne JSON document a line, as they come; a stream that breaks is cut off.` : said,
    headers: ANSWER_HEADERS,
    content: { [streams ? 'application/x-ndjson' : 'application/json']: { schema: answerSchema(route, options) } },
  };
  return { '200': ok, ...problemResponses({ access: route.access, body: route.body !== 'none', oauth: isOAuth(route.pattern) }) };
}

function security({ access, pattern }: Route, scopes: readonly string[]): NonNullable<Operation['security']> {
  if (isOAuth(pattern)) return [{ client: [] }, {}];
  return access === 'principal' ? [{ oauth2: scopes }, { bearer: [] }] : [];
}

function samples(route: Route, { contractsPackage }: OperationOptions, example: JsonObject): readonly CodeSample[] {
  return [curlSample(route, example), bufCurlSample(route.desc, route.access === 'principal', example), clientSample(route.desc, example, contractsPackage)];
}

/** The example of a route's request; undefined when none is known that would be accepted. */
function exampleFor(route: Route, { schemas }: OperationOptions): JsonObject | undefined {
  const { input, output, parent } = route.desc;
  const example = messageExample(input, [input], { registry: schemas.registry, known: [output, ...parent.file.messages] });
  // Those of `serve`: curl sends them by HTTP Basic.
  const client = isOAuth(route.pattern) ? Object.fromEntries(Object.entries(DEV_CLIENT).filter(([name]) => input.fields.some((field) => field.name === name))) : {};
  return example && fillPath(route, { ...example, ...client });
}

/** Describes one route. */
export function describeOperation(route: Route, options: OperationOptions): Operation {
  const { desc, template } = route;
  const example = exampleFor(route, options);
  const sent = example && httpRequest(route, example);
  const parts = sent?.target.replace(/\?.*$/s, '').slice(1).split('/') ?? [];
  const pathExample = (param: PathParam): string | undefined => {
    const encoded = param.at === template.segments.length - 1 && template.verb !== undefined ? parts[param.at]?.replace(/:[^:]*$/, '') : parts[param.at];
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  };
  const typed = (param: PathParam): Json | undefined => {
    const text = pathExample(param);
    const field = fieldAt(desc.input, param.variable.name);
    const type = param.whole && field ? fieldSchema(field, 'request', options.schemas)['type'] : 'string';
    return text !== undefined && (type === 'integer' || type === 'number') ? Number(text) : type === 'boolean' ? text === 'true' : text;
  };
  const parameters = [...options.place.params.map((param) => pathParameter(route, param, options, typed(param))), ...queryParameters(route, options, example ?? {})];
  const body = requestBody(route, options, sent?.body);
  const comment = commentOf(desc);
  const needs = options.scopes.length > 0 ? `Scopes: ${options.scopes.map((scope) => `\`${scope}\``).join(', ')}.` : '';
  const description = [comment, needs].filter((text) => text !== '').join('\n\n');
  return {
    operationId: options.operationId,
    tags: [route.contract],
    summary: firstSentence(comment) || desc.name,
    ...(description === '' ? {} : { description }),
    ...(options.deprecated ? { deprecated: true } : {}),
    security: security(route, options.scopes),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: responses(route, options),
    ...(example ? { 'x-codeSamples': samples(route, options, example) } : {}),
  };
}
