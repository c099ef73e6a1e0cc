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

const asProblem = (description: string, headers: JsonObject = {}): JsonObject => ({
  description,
  headers: { ...REQUEST_ID, ...headers },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/problem-document' } } },
});
const asOAuth = (description: string, headers: JsonObject = {}): JsonObject => ({
  description,
  headers: { ...REQUEST_ID, ...headers },
  content: { 'application/json': { schema: { $ref: '#/components/schemas/oauth-error' } } },
});

/** Answers that operations share. */
export const RESPONSES: Readonly<Record<string, JsonObject>> = {
  BadRequest: asProblem('The request is wrong; `violations` names each field that is.'),
  Unauthorized: asProblem('There is no token, or it is not valid.', CHALLENGE),
  Forbidden: asProblem('The token does not allow this.'),
  TooLarge: asProblem('The body is too large.'),
  UnsupportedMediaType: asProblem('The body is of a type that is not taken.'),
  Internal: asProblem('Something went wrong on our side.'),
  Unavailable: asProblem('Not now: a service is away, or overloaded.', RETRY_AFTER),
  Timeout: asProblem('Not in time.'),
  Problem: asProblem('Any other problem; `code` says which.', RETRY_AFTER),
  OAuthError: asOAuth('The request is wrong.'),
  OAuthInvalidClient: asOAuth('The client is not known, or did not authenticate.', CHALLENGE),
  OAuthOther: asOAuth('Not now, or a fault on our side.', RETRY_AFTER),
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
