import type { Clock } from '@talaria/base';
import type { Endpoint } from './resolver.ts';
import type { Connection, WireMethod } from './transport.ts';

/** An endpoint with the connection to it: one object as long as it leads to the same instance at the same address. */
export interface Candidate {
  /** What is known of it now: weight, zone and readiness may change during the life of a candidate. */
  readonly endpoint: Endpoint;
  readonly connection: Connection;
}

/** What a picker may go by. */
export interface PickInfo {
  readonly method: WireMethod;
  /** Those to which earlier attempts of this call went. */
  readonly tried: ReadonlySet<Candidate>;
  /** Whether the attempt is made besides another one that has not ended. The picker is then only offered candidates that were not tried. */
  readonly hedge: boolean;
  /** When that is, in ms of `clock`, so that nobody has to ask again. */
  readonly now?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** How an attempt ended, for pickers and policies that learn. */
export interface AttemptResult {
  /** In ms of the clock of the call (`monotonic()`). */
  readonly startedAt: number;
  /** That clock. */
  readonly clock?: Clock | undefined;
  /** In ms; for a stream until it was over. */
  readonly durationMs: number;
  /** Of streams: how long the first response took, in ms. Absent where none came, and for unary calls. */
  readonly firstResponseMs?: number;
  /** Absent for a success; a `TransportError` when it came from the wire. */
  readonly error?: unknown;
  /** Its own side gave it up: another attempt won, or the caller cancelled. That says only that it took at least so long. */
  readonly abandoned?: boolean;
  /** Its own side gave it up since it took longer than the limit of an attempt, or than the deadline of the call. */
  readonly timedOut?: boolean;
}

/** What a picker knows of one endpoint, for people who look at the topology. */
export interface EndpointStats {
  readonly state: 'ready' | 'connecting' | 'idle' | 'failed' | 'draining' | 'ejected' | 'probation' | 'unready' | 'slow_start';
  /** Attempts of this picker that have not ended. */
  readonly inFlight: number;
  /** Moving average, in ms. Absent before the first answer. */
  readonly latencyMs?: number;
  /** What it is compared by; lower is better. */
  readonly load?: number;
  /** The share of calls it gets against others, all considered. */
  readonly weight: number;
  /** Attempts that ended. */
  readonly calls: number;
  /** Those of them that count against the endpoint. */
  readonly failures: number;
  /** How often it was taken out of rotation. */
  readonly ejections: number;
  /** Present while it is out of rotation: why, and for how many ms more. */
  readonly ejected?: { readonly reason: 'consecutive_failures' | 'success_rate' | 'latency' | 'frozen' | 'connection'; readonly forMs: number };
  /** How long the oldest attempt in flight has taken so far, in ms. */
  readonly oldestMs?: number;
}

/** Says who is best now, for one contract of one client. Every attempt picks again. */
export interface Picker {
  /** One of `candidates` (never empty), by preference one that was not tried. It is the same array until something changes. */
  pick(candidates: readonly Candidate[], info: PickInfo): Candidate;
  /** Told exactly once for each pick, with what was picked and for which method, when the attempt is over. Must not throw. */
  done?(candidate: Candidate, result: AttemptResult, method: WireMethod): void;
  /** What it knows of a candidate. */
  describe?(candidate: Candidate): EndpointStats;
  /** The connector closes. */
  close?(): void;
}
