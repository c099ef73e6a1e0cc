import { type Message } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { badRequest } from '@talaria/errors';
import { readField, readMessage, takesNull, type ReadContext } from './from-json.ts';
import { paramReader, type ParamReader } from './from-params.ts';
import { jsonForm } from './fields.ts';
import { parseForm } from './form.ts';
import { decodeUtf8, parseJson } from './json-text.ts';
import { collectMistakes } from './mistakes.ts';
import { wantsBody, type Route } from './routes.ts';

/** What of an HTTP request becomes the request message. */
export interface HttpInput {
  /** The text of a path variable, decoded. */
  variable(name: string): string;
  /** What stands behind `?`; empty when there is none. */
  readonly query: string;
  readonly body: Uint8Array;
  /** Undefined when the request has no Content-Type. */
  readonly contentType: 'json' | 'form' | undefined;
  /** Pairs that count as if they stood in the form: client credentials of RFC 6749. */
  readonly extra?: readonly (readonly [name: string, value: string])[];
  /** Whether unknown form parameters are ignored, as RFC 6749, section 3.2, wants it. */
  readonly ignoreUnknown?: boolean;
}

function readPairs(reader: ParamReader, pairs: readonly (readonly [string, string])[], ignoreUnknown = false): void {
  for (const [name, value] of pairs) reader.read(name, value, { ignoreUnknown });
}

function missingBody(route: Route): Error {
  const field = typeof route.body === 'string' ? 'body' : route.body.name;
  return badRequest('missing_body', 'The request has no body.', { params: { param: field }, violations: [{ field, description: 'is missing' }] });
}

function readForm(route: Route, target: ReflectMessage, input: HttpInput, context: ReadContext, reader: ParamReader): void {
  const pairs = [...parseForm(decodeUtf8(input.body), 'body'), ...(input.extra ?? [])];
  if (route.body === 'all') {
    readPairs(reader, pairs, input.ignoreUnknown);
  } else if (typeof route.body !== 'string') {
    const field = route.body;
    if (field.fieldKind !== 'message' || jsonForm(field.message) !== 'fields') throw badRequest('unsupported_media_type', `${field.name} can only be given as JSON.`);
    const inner = reflect(field.message);
    readPairs(paramReader(inner, context, field.name), pairs, input.ignoreUnknown);
    target.set(field, inner);
  }
}

function readJson(route: Route, target: ReflectMessage, input: HttpInput, context: ReadContext): void {
  const json = parseJson(decodeUtf8(input.body));
  if (route.body === 'all') readMessage(target, json, '', context);
  else if (typeof route.body !== 'string' && json === null && !takesNull(route.body)) context.mistakes.add('invalid_param', route.body.name, 'must not be null');
  else if (typeof route.body !== 'string') readField(target, route.body, json, route.body.name, context);
}

function readBody(route: Route, target: ReflectMessage, input: HttpInput, context: ReadContext, reader: ParamReader): void {
  const { body, contentType } = input;
  if (route.body === 'none') {
    if (body.length > 0) throw badRequest('unexpected_body', 'This method takes no body.', { violations: [{ field: 'body', description: 'is not taken' }] });
    return;
  }
  if (contentType === 'form') readForm(route, target, input, context, reader);
  else if (body.length > 0) readJson(route, target, input, context);
  else if (wantsBody(route)) throw missingBody(route);
}

/** Makes the request message of a route. Throws `bad_request.…`, which names each wrong field. */
export function readRequest(route: Route, input: HttpInput): Message {
  const mistakes = collectMistakes();
  const context: ReadContext = { mistakes, registry: route.registry };
  const target = reflect(route.desc.input);
  const reader = paramReader(target, context);
  readBody(route, target, input, context, reader);
  for (const { name } of route.template.variables) reader.readPath(name, input.variable(name));
  const query = parseForm(input.query, 'query');
  if (route.body === 'all') {
    // google.api.http: with `body: "*"` there are no query parameters.
    for (const [name] of query) mistakes.add('unknown_param', name, 'is not taken from the query: it belongs in the body');
  } else {
    if (typeof route.body !== 'string') reader.reserve(route.body.name, 'the body');
    readPairs(reader, query);
  }
  if (!mistakes.none) throw mistakes.toError();
  return target.message;
}
