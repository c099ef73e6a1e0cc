import { systemClock, type Clock, type LogFields, type Logger } from '@talaria/base';
import { Metadata, TransportError, type CallPolicy, type ContractMethod, type MethodStats, type Outcome, type Status } from '@talaria/rpc';
import { callPolicies, type CallPoliciesOptions } from '../call-policies.ts';

/** A method of a contract `test.Test`, `/test.Test/Get` by default, that may be repeated by default. */
export function testMethod(name = 'Get', options: object = { idempotencyLevel: 'NO_SIDE_EFFECTS' }, streams = false): ContractMethod {
  return { contract: 'test.Test', name, key: name, path: `/test.Test/${name}`, options, requestStream: false, responseStream: streams, deadlineMs: undefined } as unknown as ContractMethod;
}

/** An error as a transport has it. */
export function failed(code: Status, outcome: Outcome = 'maybe_executed', trailer = Metadata()): TransportError {
  return new TransportError('/test.Test/Get', code, 'broken', outcome, trailer);
}

/** A logger that keeps what it is told. */
export function keptLog(): Logger & { readonly events: { readonly level: string; readonly message: string; readonly fields: LogFields | undefined }[] } {
  const events: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void events.push({ level, message, fields });
  const log = { events, trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal'), with: () => log };
  return log;
}

/** How a server answers an attempt: after so many ms, and with what error if any. */
export type Answer = (now: number) => { readonly afterMs: number; readonly error?: TransportError };

/** How the calls of a simulation went, in order of their ends. */
export interface SimulatedCall {
  readonly at: number;
  readonly local: boolean;
  readonly attempts: number;
  readonly error: unknown;
}

/** A client without a wire, whose time only moves as its events do. */
export interface SimulatedClient {
  readonly policy: CallPolicy;
  readonly log: ReturnType<typeof keptLog>;
  readonly clock: Clock;
  /** When attempts reached a server. */
  readonly reached: readonly number[];
  readonly calls: readonly SimulatedCall[];
  /** Calls at a rate from now on, and lets everything end. */
  run(options: { readonly perSecond: number; readonly forMs: number; readonly method?: ContractMethod; readonly deadlineMs?: number; readonly answer: Answer }): void;
  advance(ms: number): void;
  stats(): MethodStats;
}

/** Numbers from 0 to 1 that are the same in each run. Mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes one. Policies are asked as the attempts of `rpc` ask them; there are always two instances more than were tried. */
export function simulatedClient(options: Partial<CallPoliciesOptions> = {}): SimulatedClient {
  let now = 1_000;
  const clock: Clock = { ...systemClock, now: () => now, monotonic: () => now };
  const log = keptLog();
  const policy = callPolicies({ log, clock, random: seededRandom(1), ...options })('test.Test');
  const queue: { readonly at: number; readonly what: () => void }[] = [];
  const reached: number[] = [];
  const calls: SimulatedCall[] = [];
  const after = (ms: number, what: () => void): void => {
    const at = now + ms;
    let index = queue.length;
    while (index > 0 && (queue[index - 1]?.at ?? 0) > at) index--;
    queue.splice(index, 0, { at, what });
  };

  const make = (method: ContractMethod, deadline: number, answer: Answer): void => {
    const startedAt = now;
    let attempts = 0;
    const over = (error: unknown, local: boolean): void => void calls.push({ at: now, local, attempts, error });
    let plan: ReturnType<CallPolicy['begin']>;
    try {
      plan = policy.begin({ method, options: { metadata: Metadata(), deadline, clock, signal: undefined } as never });
    } catch (error) {
      over(error, true);
      return;
    }
    if (plan instanceof Promise) throw new Error('it does not simulate those that wait');
    const begun = plan;
    const attempt = (): void => {
      const number = ++attempts;
      const sentAt = now;
      const { afterMs, error } = answer(now);
      if (error?.outcome !== 'never_sent') reached.push(now);
      after(afterMs, () => {
        begun.attempted?.({ startedAt: sentAt, durationMs: now - sentAt, ...(error ? { error } : {}) }, number);
        const again = error ? begun.again({ method, error, attempt: number, untried: 2, requestsTaken: false, timedOut: false, inFlight: 0 }) : false;
        if (again !== false) return after(again === true ? 0 : again, attempt);
        begun.done?.({ durationMs: now - startedAt, attempts, ...(error ? { error } : {}) });
        over(error, false);
      });
    };
    attempt();
  };

  const drainUntil = (until: number): void => {
    for (let next = queue[0]; next && next.at <= until; next = queue[0]) {
      queue.shift();
      now = next.at;
      next.what();
    }
    if (until < Infinity) now = Math.max(now, until);
  };
  return {
    policy,
    log,
    clock,
    reached,
    calls,
    run({ perSecond, forMs, method = testMethod(), deadlineMs = 1_000, answer }) {
      const end = now + forMs;
      for (let call = 0; call < (perSecond * forMs) / 1_000; call++) after((call * 1_000) / perSecond, () => make(method, now + deadlineMs, answer));
      drainUntil(end);
      drainUntil(Infinity);
    },
    advance: (ms) => drainUntil(now + ms),
    stats() {
      const [stats] = policy.describe?.() ?? [];
      if (!stats) throw new Error('nothing was called');
      return stats;
    },
  };
}
