import { context as otel, createContextKey, type Context } from '@opentelemetry/api';
import { systemClock, type Clock } from '@talaria/base';
import { fences } from './fence-key.ts';

/** On whose behalf a call is made. */
export interface Principal {
  /** The id of a customer or a client, such as `user_01J…`. */
  readonly id: string;
  /** The client that its token was issued to. */
  readonly clientId: string;
  /** What it may do, such as `accounts:read`. */
  readonly scopes: readonly string[];
}

/** Which service makes a call. */
export interface Caller {
  /** Such as `service.account`. */
  readonly service: string;
  /** Whether it passes on calls of customers (a gateway). */
  readonly edge: boolean;
}

/** What flows with a call besides trace and baggage, which OpenTelemetry's own context holds. */
export interface Call {
  /** When it must be over, in ms of `clock.monotonic()`. */
  readonly deadline?: number | undefined;
  /** What its deadline is measured by, and what is done on its behalf. Default: the time of this machine (`performance.now()`). */
  readonly clock?: Clock | undefined;
  /** Aborts when the caller hung up, the deadline passed, or the handler returned. */
  readonly signal?: AbortSignal | undefined;
  /** Aborts when the server that runs the call begins to drain: an endless stream had better come to an end by itself. */
  readonly leaving?: AbortSignal | undefined;
  /** The authenticated principal. */
  readonly principal?: Principal | undefined;
  /** The token that proves the principal; nested calls send it along. */
  readonly passport?: string | undefined;
  /** The authenticated caller. */
  readonly caller?: Caller | undefined;
  /** Names this request across all services. */
  readonly requestId?: string | undefined;
}

const CALL = createContextKey('talaria.call');
const NO_CALL: Call = Object.freeze({});

/** The call that the running code belongs to; an empty one outside of calls. */
export function currentCall(): Call {
  // A leader whose process was frozen may get here before any timer does: the signal of its call has aborted when it is used.
  for (const leadership of fences.get() ?? []) leadership.isHeld();
  return callIn(otel.active());
}

/** The call of an OpenTelemetry context. */
export function callIn(context: Context): Call {
  return (context.getValue(CALL) as Call | undefined) ?? NO_CALL;
}

/** An OpenTelemetry context like `context`, with the current call changed by `changes`. */
export function withCall(context: Context, changes: Call): Context {
  return context.setValue(CALL, { ...callIn(context), ...changes });
}

/** Runs `fn` in a call like the current one, changed by `changes`. */
export function runInCall<T>(changes: Call, fn: () => T): T {
  return otel.with(withCall(otel.active(), changes), fn);
}

/** The clock of the current call: the time of this machine, unless a test has put another in its place. */
export function currentClock(): Clock {
  return currentCall().clock ?? systemClock;
}

/** Milliseconds until the deadline: 0 if it passed, undefined if there is none. */
export function timeRemaining(): number | undefined {
  const { deadline, clock = systemClock } = currentCall();
  return deadline === undefined ? undefined : Math.max(0, deadline - clock.monotonic());
}
