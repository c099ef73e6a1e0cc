import type { ServiceError } from '@talaria/errors';
import { Status } from '@talaria/rpc';
import { printable, type Style } from './terminal.ts';

/** What is known of a call besides its error. */
export interface CallFacts {
  /** The client for which it acted; undefined: for nobody. */
  readonly as?: string | undefined;
  /** Of W3C Trace Context: 32 hex digits, to look it up in logs and traces. */
  readonly traceId?: string | undefined;
  /** Each contract that had instances when the call began, with its service; undefined if that was not asked. */
  readonly running?: ReadonlyMap<string, string> | undefined;
}

/** A call that failed, with what is known of it. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly error: ServiceError;
  readonly facts: CallFacts;

  constructor(error: ServiceError, facts: CallFacts) {
    super(error.message, { cause: error });
    this.error = error;
    this.facts = facts;
  }
}

type Hint = string | ((error: ServiceError, facts: CallFacts) => string);

function whatRuns(facts: CallFacts): string {
  if (!facts.running) return '"talaria services" shows who serves what';
  if (facts.running.size === 0) return 'no service runs';
  return `served now: ${[...facts.running].map(([contract, service]) => `${contract} (${service})`).join(', ')}`;
}

/** What to do next, by code; the first that fits. */
const HINTS: readonly (readonly [prefix: string, hint: Hint])[] = [
  ['unavailable.no_instances', ({ params }, facts) => `Nobody serves ${params['contract'] ?? 'this contract'} now; ${whatRuns(facts)}. Start the app that serves it, such as with "npx nx serve <app>".`],
  // Its message says it all.
  ['unavailable.platform', ''],
  ['unavailable', (_error, facts) => `Its service may be starting or stopping (${whatRuns(facts)}): try again.`],
  ['unauthorized.invalid_client', 'Which clients there are, auth-service knows; the dev clients (--as dev, --as dev2) exist only under "npx nx serve …". For another one say --as <client> --secret <secret>.'],
  ['unauthorized.principal', 'This method acts for somebody: leave --no-as out, or say --as <client>.'],
  ['unauthorized.caller', 'Under "npx nx serve …" the key is found by itself; elsewhere set TALARIA_SERVICE_KEY_FILE to a key that auth-service knows.'],
  ['unauthorized', 'Say for which client to act with --as <client>; "talaria token --as <client>" prints tokens for other programs.'],
  ['forbidden.caller', 'This method is for certain services only, and this command is none of them.'],
  ['forbidden.scope', ({ params }, { as }) => `${as === undefined ? 'The call' : `The client "${as}"`} lacks ${params['scopes'] ? `the scope ${params['scopes']}` : 'a scope that the method asks for'}: act for one that has it, with --as <client>.`],
  ['forbidden', 'Whoever this call is made for may not do that: try another client with --as <client>.'],
  ['unimplemented', 'The instance that took the call does not have this method, though it is published: an older version may still run ("talaria services").'],
  ['timeout', 'The service did not answer in time; --timeout <seconds> gives it longer, as far as the contract allows.'],
  ['rate_limited.message_too_large', 'Send less at once: the message is larger than the service takes.'],
  ['rate_limited', ({ retryAfterMs }) => `Try again ${retryAfterMs === undefined ? 'later' : `in ${Math.ceil(retryAfterMs / 1000)} s`}.`],
  ['bad_request', '"talaria describe <contract>/<Method>" shows what the request takes.'],
  ['internal_service', 'The detail is withheld from callers: look for the trace id in the logs of the service.'],
];

/** An error for people: code, message, what is wrong with which field, the status if it was a call's, what to do next. */
export function describeFailure(error: ServiceError, style: Style, facts?: CallFacts): string {
  const found = HINTS.find(([prefix]) => error.code === prefix || error.code.startsWith(`${prefix}.`))?.[1];
  const hint = typeof found === 'function' ? found(error, facts ?? {}) : found;
  const wait = error.retryAfterMs === undefined ? '' : ` after ${error.retryAfterMs} ms`;
  const status = [`status ${Status[error.kind.grpc]}`, error.retryable ? `retryable${wait}` : 'not retryable', ...(facts?.traceId === undefined ? [] : [`trace id ${facts.traceId}`])];
  const lines = [
    `${style.bad(printable(error.code))}: ${printable(error.message)}`,
    ...error.violations.map(({ field, description }) => printable(`  ${field}: ${description}`)),
    ...Object.entries(error.params).map(([key, value]) => style.dim(printable(`  ${key} = ${value}`))),
    ...(facts ? [style.dim(`  ${status.join(', ')}`)] : []),
    ...(hint ? [printable(hint)] : []),
  ];
  return `${lines.join('\n')}\n`;
}
