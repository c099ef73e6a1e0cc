import { sleep, systemClock } from '@talaria/base';
import type { CallPlan, CallPolicy } from './call-policy.ts';
import type { CallTarget, Choice } from './call-target.ts';
import type { ContractMethod } from './contract.ts';
import { endedHere } from './deadline.ts';
import type { Candidate } from './picker.ts';
import type { Route } from './route.ts';
import { TransportError } from './transport-error.ts';
import type { WireCallOptions } from './transport.ts';

/** The attempts of one call: each picks again, and tells the picker how it ended. */
interface Attempts {
  pick(): Promise<Candidate>;
  succeeded(): void;
  /** Whether there is another attempt: at once, or after so many ms. */
  failed(error: unknown, requestsTaken: boolean): boolean | number;
}

/** How the attempts of a call are made. */
export interface AttemptOptions {
  readonly policy: CallPolicy | undefined;
  /** Default: any instance. */
  readonly choice: Choice | undefined;
  readonly onAttempt: CallTarget['onAttempt'];
}

function attempts(route: Route, method: ContractMethod, options: WireCallOptions, { policy, choice, onAttempt }: AttemptOptions): Attempts {
  const { clock = systemClock } = options;
  const tried = new Set<Candidate>();
  let current: Candidate | undefined;
  let startedAt = 0;
  let attempt = 0;
  let wanted = choice;
  let plan: CallPlan | undefined;
  const untriedOf = (candidates: readonly Candidate[]): number => candidates.filter((candidate) => !tried.has(candidate)).length;
  const done = (error?: unknown): void => {
    if (current) route.picker.done?.(current, { startedAt, durationMs: clock.monotonic() - startedAt, ...(error === undefined ? {} : { error }) }, method);
  };
  return {
    async pick() {
      plan ??= await policy?.begin({ method, options });
      const found = route.candidates(method, options, wanted);
      const candidates = found instanceof Promise ? await found : found;
      current = route.picker.pick(candidates, { method, tried, hedge: false });
      startedAt = clock.monotonic();
      attempt++;
      onAttempt?.(current.endpoint);
      return current;
    },
    succeeded: () => done(),
    failed(error, requestsTaken) {
      // A failure before anything was picked is no attempt.
      if (!current) return false;
      const failed = current;
      done(error);
      tried.add(failed);
      current = undefined;
      if (!(error instanceof TransportError)) return false;
      const candidates = route.current(wanted);
      // It left the registry between pick and call, and its connection was closed: that was no attempt.
      if (error.outcome === 'never_sent' && failed.connection.state !== 'failed' && !candidates.includes(failed)) return candidates.length > 0;
      if (!plan) return false;
      const untried = untriedOf(candidates);
      if (untried > 0 || !wanted?.preferred) return plan.again({ method, error, attempt, untried, requestsTaken, timedOut: false, inFlight: 0 });
      // All who have the preferred version were tried: better another version than none.
      const others = untriedOf(route.current());
      const again = others > 0 && plan.again({ method, error, attempt, untried: others, requestsTaken, timedOut: false, inFlight: 0 });
      if (again !== false) {
        route.passedOver(wanted);
        wanted = undefined;
      }
      return again;
    },
  };
}

/** Resolves when the next attempt may begin; throws if there is none. */
async function orThrow(error: unknown, again: boolean | number, method: ContractMethod, options: WireCallOptions): Promise<void> {
  if (again === false) throw error;
  if (again === true) return;
  const { clock = systemClock, deadline = Infinity, signal } = options;
  // The deadline would end the pause: what went wrong says more.
  if (clock.monotonic() + again >= deadline) throw error;
  try {
    await sleep(again, { clock, signal });
  } catch {
    throw endedHere(method.path, options, 'maybe_executed');
  }
}

/** A call with one request and one response. */
export async function unaryAttempts(route: Route, method: ContractMethod, request: Uint8Array, options: WireCallOptions, how: AttemptOptions): Promise<Uint8Array> {
  const tries = attempts(route, method, options, how);
  for (;;) {
    const { connection } = await tries.pick();
    try {
      const response = await connection.unary(method, request, options);
      tries.succeeded();
      return response;
    } catch (error) {
      await orThrow(error, tries.failed(error, false), method, options);
    }
  }
}

/** A call in which either side streams. Requests can be sent again as long as none was taken. */
export async function* streamAttempts(
  route: Route,
  method: ContractMethod,
  requests: AsyncIterable<Uint8Array>,
  options: WireCallOptions,
  how: AttemptOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const tries = attempts(route, method, options, how);
  let requestsTaken = false;
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]() {
      requestsTaken = true;
      return requests[Symbol.asyncIterator]();
    },
  };
  for (;;) {
    const { connection } = await tries.pick();
    let answered = false;
    try {
      for await (const response of connection.stream(method, source, options)) {
        answered = true;
        yield response;
      }
      tries.succeeded();
      return;
    } catch (error) {
      await orThrow(error, tries.failed(error, requestsTaken || answered), method, options);
    }
  }
}
