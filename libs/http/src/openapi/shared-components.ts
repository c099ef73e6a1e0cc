import { type JsonObject, type Schema } from './types.ts';

/** The component of RFC 9457 documents. */
const problem: Schema = {
  type: 'object',
  description: 'A problem after RFC 9457.',
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string', description: 'The name of the status.' },
    status: { type: 'integer', description: 'The status of the answer.' },
    detail: { type: 'string', description: 'What went wrong this time, for people.' },
    code: { type: 'string', description: 'What went wrong, for programs: dotted, the first segment decides the status.', examples: ['bad_request.invalid_param', 'not_found.account'] },
    params: { type: 'object', description: 'Facts for programs.', additionalProperties: { type: 'string' } },
    violations: {
      type: 'array',
      description: 'Each field that is wrong.',
      items: { type: 'object', properties: { field: { type: 'string', examples: ['items[1].amount'] }, description: { type: 'string' } }, required: ['field', 'description'] },
    },
    trace_id: { type: 'string', description: 'Names this request in logs and traces.' },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'params'],
};

/** The component of OAuth errors. */
const oauthError: Schema = {
  type: 'object',
  description: 'An error after RFC 6749, section 5.2.',
  properties: {
    error: {
      type: 'string',
      enum: ['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'server_error', 'temporarily_unavailable'],
    },
    error_description: { type: 'string' },
  },
  required: ['error', 'error_description'],
};

/** Proto names have no hyphen, so these clash with no message. */
export const SHARED_SCHEMAS: Readonly<Record<string, Schema>> = { 'problem-document': problem, 'oauth-error': oauthError };

const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };
const RETRY_AFTER = { 'Retry-After': { $ref: '#/components/headers/Retry-After' } };
const CHALLENGE = { 'WWW-Authenticate': { $ref: '#/components/headers/WWW-Authenticate' } };

/** Headers of answers. */
export const HEADERS: Readonly<Record<string, JsonObject>> = {
  'X-Request-Id': { description: 'The id of the request: the client\'s own, if it sent a harmless one, else a new one.', schema: { type: 'string' } },
  'Retry-After': { description: 'How many seconds to wait at least before the next attempt.', schema: { type: 'integer', minimum: 0 } },
  'WWW-Authenticate': { description: 'How to authenticate.', schema: { type: 'string' } },
};

interface Said {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly params?: JsonObject;
  readonly violations?: readonly JsonObject[];
}

/** As the gateway writes them. */
const problemExample = ({ title, status, detail, code, params = {}, violations }: Said): JsonObject => ({
  type: 'about:blank',
  title,
  status,
  detail,
  code,
  params,
  ...(violations ? { violations } : {}),
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
});
const asProblem = (description: string, said: Said, headers: JsonObject = {}): JsonObject => ({
  description,
  headers: { ...REQUEST_ID, ...headers },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/problem-document' }, example: problemExample(said) } },
});
const asOAuth = (description: string, error: string, headers: JsonObject = {}): JsonObject => ({
  description,
  headers: { ...REQUEST_ID, ...headers },
  content: { 'application/json': { schema: { $ref: '#/components/schemas/oauth-error' }, example: { error, error_description: description } } },
});

/** Answers that operations share. */
export const RESPONSES: Readonly<Record<string, JsonObject>> = {
  BadRequest: asProblem('The request is wrong; `violations` names each field that is.', {
    title: 'Bad Request',
    status: 400,
    detail: 'limit: must be an int32',
    code: 'bad_request.invalid_param',
    params: { param: 'limit' },
    violations: [{ field: 'limit', description: 'must be an int32' }],
  }),
  Unauthorized: asProblem('There is no token, or it is not valid.', { title: 'Unauthorized', status: 401, detail: 'This needs a token: send it as Authorization: Bearer.', code: 'unauthorized.missing_token' }, CHALLENGE),
  Forbidden: asProblem('The token does not allow this.', { title: 'Forbidden', status: 403, detail: 'The token lacks a scope.', code: 'forbidden.scope' }),
  TooLarge: asProblem('The body is too large.', { title: 'Content Too Large', status: 413, detail: 'The body has more than 1048576 bytes.', code: 'bad_request.too_large', params: { limit: '1048576' } }),
  UnsupportedMediaType: asProblem('The body is of a type that is not taken.', { title: 'Unsupported Media Type', status: 415, detail: 'Bodies are application/json or application/x-www-form-urlencoded.', code: 'bad_request.unsupported_media_type' }),
  Internal: asProblem('Something went wrong on our side.', { title: 'Internal Server Error', status: 500, detail: 'Something went wrong on our side.', code: 'internal_service' }),
  Unavailable: asProblem('Not now: a service is away, or overloaded.', { title: 'Service Unavailable', status: 503, detail: 'Nobody serves this at the moment.', code: 'unavailable.no_instances' }, RETRY_AFTER),
  Timeout: asProblem('Not in time.', { title: 'Gateway Timeout', status: 504, detail: 'The call took longer than it may.', code: 'timeout.deadline' }),
  Problem: asProblem('Any other problem; `code` says which.', { title: 'Not Found', status: 404, detail: 'There is no such thing.', code: 'not_found.thing' }, RETRY_AFTER),
  OAuthError: asOAuth('The request is wrong.', 'invalid_request'),
  OAuthInvalidClient: asOAuth('The client is not known, or did not authenticate.', 'invalid_client', CHALLENGE),
  OAuthOther: asOAuth('Not now, or a fault on our side.', 'temporarily_unavailable', RETRY_AFTER),
};

const to = (name: string): JsonObject => ({ $ref: `#/components/responses/${name}` });

/** What can go wrong on a route: by who may call, and by whether it takes a body. */
export function problemResponses(options: { readonly access: 'anyone' | 'principal'; readonly body: boolean; readonly oauth: boolean }): Readonly<Record<string, JsonObject>> {
  if (options.oauth) return { '400': to('OAuthError'), '401': to('OAuthInvalidClient'), default: to('OAuthOther') };
  return {
    '400': to('BadRequest'),
    ...(options.access === 'principal' ? { '401': to('Unauthorized'), '403': to('Forbidden') } : {}),
    ...(options.body ? { '413': to('TooLarge'), '415': to('UnsupportedMediaType') } : {}),
    '500': to('Internal'),
    '503': to('Unavailable'),
    '504': to('Timeout'),
    default: to('Problem'),
  };
}

/** The headers of an answer that went well. */
export const ANSWER_HEADERS: JsonObject = REQUEST_ID;
