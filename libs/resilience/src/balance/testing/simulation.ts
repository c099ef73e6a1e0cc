import type { Clock } from '@talaria/base';
import { Status, TransportError, type AttemptResult, type Candidate, type ConnectionState, type Endpoint, type Picker, type WireMethod } from '@talaria/rpc';

/** Numbers that look random, the same for the same seed. Source: mulberry32, Tommy Ettinger, public domain. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

/** What a server does with a call: answers after so many ms (undefined: never), with a code. */
export interface Behaviour {
  (at: number): { readonly ms?: number; readonly code?: Status };
}

/** A candidate whose connection and behaviour a test changes. */
export interface FakeServer {
  readonly candidate: Candidate;
  endpoint: Endpoint;
  behaviour: Behaviour;
  /** Whether it was told to connect. */
  woken: boolean;
  /** Attempts that went there, with when. */
  readonly calls: number[];
  set(state: ConnectionState): void;
}

/** Makes one that answers after 5 ms. */
export function fakeServer(id: string, about: Partial<Endpoint> = {}, initial: ConnectionState = 'ready'): FakeServer {
  const listeners = new Set<(state: ConnectionState) => void>();
  let state = initial;
  const server: FakeServer = {
    endpoint: { id, addresses: [`h2c://${id}`], ...about },
    behaviour: () => ({ ms: 5 }),
    woken: false,
    calls: [],
    set(next) {
      state = next;
      for (const listener of [...listeners]) listener(next);
    },
    candidate: {
      get endpoint() {
        return server.endpoint;
      },
      connection: {
        address: `h2c://${id}`,
        get state() {
          return state;
        },
        inFlight: 0,
        connect() {
          server.woken = true;
        },
        onStateChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        unary: () => Promise.reject(new Error('not in a simulation')),
        stream: () => {
          throw new Error('not in a simulation');
        },
        close: () => Promise.resolve(),
      },
    },
  };
  return server;
}

/** A method as contracts have it, which may be made twice unless said otherwise. */
export function fakeMethod(name = 'Get', about: { readonly idempotencyLevel?: 'IDEMPOTENT' | undefined; readonly responseStream?: boolean } = { idempotencyLevel: 'IDEMPOTENT' }): WireMethod {
  return Object.assign({ path: `/test.Test/${name}`, requestStream: false, responseStream: about.responseStream ?? false }, { options: { idempotencyLevel: about.idempotencyLevel } });
}

const failures = new Map<string, TransportError>();

/** An error as it comes from the wire. Made once each, since making one costs more than a simulated call. */
export function failure(code: Status, outcome: TransportError['outcome'] = 'maybe_executed'): TransportError {
  const key = `${code} ${outcome}`;
  const made = failures.get(key) ?? new TransportError('/test.Test/Get', code, 'simulated', outcome);
  failures.set(key, made);
  return made;
}

/** Time that moves from event to event. */
export interface Simulation {
  readonly clock: Clock;
  at(ms: number, event: () => void): void;
  /** Moves on by `ms`, event by event. */
  run(ms: number): void;
  /** How time stands still for all at once, as when the process or the machine does: nothing happens, and then everything. */
  stall(ms: number): void;
}

/** Starts at 1,000,000 ms. */
export function simulation(): Simulation {
  let now = 1_000_000;
  let order = 0;
  let events: { readonly at: number; readonly order: number; readonly event: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after() {
      throw new Error('The picker needs no timers');
    },
  };
  return {
    clock,
    at(ms, event) {
      const entry = { at: now + ms, order: order++, event };
      let index = events.length;
      while (index > 0 && (events[index - 1] as typeof entry).at > entry.at) index--;
      events.splice(index, 0, entry);
    },
    run(ms) {
      const until = now + ms;
      for (;;) {
        const next = events[0];
        if (!next || next.at > until) break;
        events.shift();
        now = Math.max(now, next.at);
        next.event();
      }
      now = until;
    },
    stall(ms) {
      now += ms;
      const late = events.filter(({ at }) => at < now);
      events = events.filter(({ at }) => at >= now);
      for (const { event } of late) event();
    },
  };
}

/** How calls are made. */
export interface LoadOptions {
  readonly picker: Picker;
  readonly simulation: Simulation;
  readonly servers: readonly FakeServer[];
  readonly candidates?: () => readonly Candidate[];
  /** Calls per second, one after another at the same distance unless `random` is given: then as chance has it. */
  readonly rate: number;
  readonly random?: () => number;
  readonly method?: WireMethod;
  /** When an attempt is given up and counts as timed out, in ms. Default 1,000. */
  readonly timeoutMs?: number;
  /** After so many ms without an answer, another attempt is made besides. Default: none. */
  readonly hedgeMs?: number;
  /** How many attempts at most. Default 3. */
  readonly attempts?: number;
}

/** What became of the calls. */
export interface LoadResult {
  readonly calls: number;
  readonly failed: number;
  readonly durations: readonly number[];
}

const RETRIED = new Set([Status.UNAVAILABLE, Status.INTERNAL, Status.UNKNOWN, Status.DEADLINE_EXCEEDED, Status.RESOURCE_EXHAUSTED]);

/** Makes calls for so many ms, with retries, and hedges if wanted; then lets what is in flight end for another second. */
export function load(ms: number, options: LoadOptions): LoadResult {
  const { picker, simulation: time, servers, rate, random, method = fakeMethod(), timeoutMs = 1_000, hedgeMs = Infinity, attempts = 3 } = options;
  const list = servers.map(({ candidate }) => candidate);
  const { candidates = () => list } = options;
  const byCandidate = new Map(servers.map((server) => [server.candidate, server]));
  const durations: number[] = [];
  let failed = 0;
  let calls = 0;

  const call = (): void => {
    calls++;
    const from = time.clock.monotonic();
    const tried = new Set<Candidate>();
    const running = new Set<(result: Omit<AttemptResult, 'startedAt' | 'durationMs'>) => void>();
    let over = false;
    let made = 0;
    const finish = (ok: boolean): void => {
      over = true;
      for (const end of [...running]) end({ abandoned: true });
      durations.push(time.clock.monotonic() - from);
      if (!ok) failed++;
    };
    const attempt = (hedge: boolean): void => {
      made++;
      const candidate = picker.pick(candidates(), { method, tried, hedge });
      tried.add(candidate);
      const server = byCandidate.get(candidate) as FakeServer;
      const startedAt = time.clock.monotonic();
      server.calls.push(startedAt);
      let ended = false;
      const end = (result: Omit<AttemptResult, 'startedAt' | 'durationMs'>): void => {
        if (ended) return;
        ended = true;
        running.delete(end);
        picker.done?.(candidate, { startedAt, durationMs: time.clock.monotonic() - startedAt, ...result }, method);
        if (over || result.abandoned) return;
        const code = (result.error as TransportError | undefined)?.code;
        if (code === undefined || !RETRIED.has(code)) finish(code === undefined || code === Status.NOT_FOUND);
        else if (made < attempts) attempt(false);
        else if (running.size === 0) finish(false);
      };
      running.add(end);
      const { ms: takes, code } = server.behaviour(startedAt);
      if (takes !== undefined) time.at(takes, () => end(code === undefined ? {} : { error: failure(code) }));
      time.at(timeoutMs, () => end({ error: failure(Status.DEADLINE_EXCEEDED), timedOut: true }));
      if (hedgeMs < Infinity) time.at(hedgeMs, () => {
        if (!ended && !over && made < attempts && tried.size < candidates().length) attempt(true);
      });
    };
    attempt(false);
  };
  const arrive = (at: number): void => {
    if (at > ms) return;
    time.at(at === 0 ? 0 : at - lastAt, () => {
      lastAt = at;
      call();
      arrive(at + (random ? -Math.log(1 - random()) * (1_000 / rate) : 1_000 / rate));
    });
  };
  let lastAt = 0;
  arrive(0);
  time.run(ms);
  time.run(1_000);
  return { calls, failed, durations };
}

/** How many attempts went to a server from a time on, up to another. */
export function callsBetween({ calls }: FakeServer, from: number, to = Infinity): number {
  return calls.filter((at) => at >= from && at < to).length;
}
