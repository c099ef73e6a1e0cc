// What the author of a service uses besides createService, from the libs that it stands on.
import { currentCall, type Principal } from '@talaria/context';
import { unauthorized } from '@talaria/errors';

export { fixedSetting, mutableSetting, newId, silentLogger, systemClock, type Capability, type Checker, type CheckPriority, type Clock, type Elections, type Leadership, type LiveSetting, type Logger, type MutableSetting } from '@talaria/base';
export { duration, setting } from '@talaria/config';
export {
  baggageKey,
  contextKey,
  currentCall,
  currentClock,
  detached,
  fanOut,
  fanOutEach,
  fanOutFirst,
  fanOutSettled,
  runFenced,
  runInCall,
  sleep,
  timeRemaining,
  type BaggageKeyOptions,
  type Call,
  type Caller,
  type ContextKey,
  type FanOutOptions,
  type Principal,
  type SettledTasks,
  type Task,
  type Tasks,
} from '@talaria/context';
export {
  badRequest,
  conflict,
  ErrorSet,
  forbidden,
  hasCode,
  internal,
  notFound,
  preconditionFailed,
  rateLimited,
  ServiceError,
  timeout,
  unauthorized,
  unavailable,
  unimplemented,
  type FieldViolation,
} from '@talaria/errors';
export { answer, degraded, type AnswerFallback, type Fallback, type Fallbacks, type FallbackKind, type StaleFallback } from '@talaria/resilience';
export { stale, type StaleAnswerOptions } from './fallbacks.ts';
export { resumable, untilLeaving, type Position, type ResumableOptions, type ResumeCall } from '@talaria/resilience';
export { z } from 'zod';

/** On whose behalf the running code was called. Throws unauthorized.principal for nobody's. */
export function principal(): Principal {
  const found = currentCall().principal;
  if (!found) throw unauthorized('principal', 'This call needs a principal: send a token.');
  return found;
}
