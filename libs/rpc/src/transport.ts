import type { Clock } from '@talaria/base';
import type { Metadata } from 'nice-grpc-common';
import type { Admission } from './admission.ts';
import type { ContractCalls } from './contract-calls.ts';

/** One RPC as a transport sees it: a path and two kinds, no types of messages. */
export interface WireMethod {
  /** `/account.v1.AccountService/GetAccount`. */
  readonly path: string;
  /** Whether the client sends a stream. */
  readonly requestStream: boolean;
  /** Whether the server sends a stream. */
  readonly responseStream: boolean;
}

/** What goes along with one attempt of a call. */
export interface WireCallOptions {
  /** Sent as headers. */
  readonly metadata: Metadata;
  /** When the call must be over, in ms of `clock.monotonic()`. What is left of it is sent as `grpc-timeout`; it is enforced here too. */
  readonly deadline?: number | undefined;
  /** What `deadline` is measured by. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
  /** Of unary calls: cancels it as well, for who makes so many that a signal for each would cost more than the call. */
  readonly handle?: CallHandle | undefined;
  /** Called once, with the headers of the answer. */
  readonly onHeader?: ((metadata: Metadata) => void) | undefined;
  /** Called once, with the trailers of the answer, also when it is an error. */
  readonly onTrailer?: ((metadata: Metadata) => void) | undefined;
  /**
   * Called once if the peer says that it is going away while the call is open: the call goes on, but will be cut in the end, so
   * that a stream that can do so had better begin anew elsewhere.
   */
  readonly onLeaving?: (() => void) | undefined;
}

/** By which one unary call can be cancelled: the connection puts in how, before it begins; harmless when the call is over. */
export interface CallHandle {
  cancel: (() => void) | undefined;
  /** Whether it was given up, maybe just before `cancel` was put in. */
  readonly over?: boolean;
}

/**
 * What became of a request that failed, which (with the method's idempotency level) is all that retries may go by:
 * `never_sent`: not a byte of it left; `refused`: the peer says that it did not look at it; `maybe_executed`: everything else.
 */
export type Outcome = 'never_sent' | 'refused' | 'maybe_executed';

/**
 * `idle`: no socket, and none wanted; `connecting`; `ready`; `draining`: calls go on, no new ones (`close` was called); `failed`: the
 * peer was not reached, or answered no ping: calls fail at once (`never_sent`), and it stays so until an attempt, of which there is one a second
 * at least, has reached it; `closed`: for good.
 */
export type ConnectionState = 'idle' | 'connecting' | 'ready' | 'draining' | 'failed' | 'closed';

/**
 * A connection to one instance. It connects when it is first used and again after every loss, by itself. Failures are
 * `TransportError`s, with an outcome.
 */
export interface Connection {
  /** With its scheme: `h2c://10.0.0.7:4000`. */
  readonly address: string;
  readonly state: ConnectionState;
  /** Calls that have not ended. */
  readonly inFlight: number;
  /** How many sockets it holds, where it may hold several. */
  readonly connections?: number | undefined;
  /** How many calls its peer takes at once on this socket, where another one would help. Default: any number. */
  readonly capacity?: number | undefined;
  /** Begins to connect if it is idle. Never throws. */
  connect(): void;
  /** Calls `listener` on every change of state; the answer stops that. */
  onStateChange(listener: (state: ConnectionState) => void): () => void;
  /** A call with one request and one response. */
  unary(method: WireMethod, request: Uint8Array, options: WireCallOptions): Promise<Uint8Array>;
  /** A call in which either side streams. The requests are pulled as the peer takes them. */
  stream(method: WireMethod, requests: AsyncIterable<Uint8Array>, options: WireCallOptions): AsyncIterable<Uint8Array>;
  /**
   * Refuses new calls, waits up to `graceMs` (default 0; Infinity: as long as they take) for those in flight, then ends them. Calls that
   * will be ended are told by `onLeaving`. Called again it can only make the end come sooner.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** The other side of a call, as the transport knows it. */
export interface Peer {
  /** `127.0.0.1:53412`, or `inproc`. */
  readonly address: string;
  /** The identity that the transport itself authenticated (mTLS), if it did. */
  readonly identity?: string | undefined;
}

/** A call that has arrived; nothing of it is decoded yet. */
export interface IncomingCall {
  readonly path: string;
  readonly peer: Peer;
  /** What the client sent. */
  readonly metadata: Metadata;
  /** When the client stops waiting, in ms of `clock.monotonic()`. */
  readonly deadline?: number | undefined;
  /** What `deadline` is measured by. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
  /** Aborts when the client hung up or the deadline passed. */
  readonly signal: AbortSignal;
  /** Aborts when this server begins to drain: a handler of an endless stream had better come to an end. One for all calls of a listener. */
  readonly leaving: AbortSignal;
  /** One for unary requests. */
  readonly requests: AsyncIterable<Uint8Array>;
  /** Sends the headers now; otherwise they go with the first response. */
  sendHeader(metadata: Metadata): void;
  /** Sent with the status, also when it is an error. */
  setTrailer(metadata: Metadata): void;
}

/**
 * Answers a call: yields each response (one for unary methods). Throwing a `ServerError` ends the call with its status;
 * throwing anything else ends it with UNKNOWN and no detail. The transport pulls as the peer reads, and stops pulling
 * when `call.signal` aborts.
 */
export type CallHandler = (call: IncomingCall) => AsyncIterable<Uint8Array>;

/** One method that a listener answers. */
export interface ServedMethod extends WireMethod {
  readonly handler: CallHandler;
  /** The longest a call may take, in ms, whatever its client wants; asked once for each call. Default: as long as the client wants. */
  readonly deadlineMs?: number | undefined;
  /** The calls of its contract that are in flight. Default: nobody counts them. */
  readonly calls?: ContractCalls | undefined;
  /** Who decides whether a call of it is taken, before anything is decoded. Default: all are. */
  readonly admission?: Admission | undefined;
  /** The options of its contract, for who decides about admission. */
  readonly options?: object | undefined;
}

/** A server socket (or its like) on which contracts come and go. */
export interface Listener {
  /** Bound, with its scheme and the real port: `h2c://127.0.0.1:41234`. */
  readonly address: string;
  /** Serves a contract from now on. Throws if it is served already. */
  add(contract: string, methods: readonly ServedMethod[]): void;
  /** Answers UNIMPLEMENTED from now on; calls in flight go on. */
  remove(contract: string): void;
  /**
   * Tells its clients at once that it is going away, aborts `leaving` of the calls in flight, and refuses new ones. Waits up to `limitMs`
   * for those in flight (streams included), then ends them with UNAVAILABLE, `unavailable.moved`. Idempotent.
   */
  drain(limitMs: number): Promise<void>;
  /** Resolves when the listener has stopped. */
  readonly closed: Promise<void>;
}

/** How a transport finds out that a peer does not answer any more. */
export interface Keepalive {
  /** In ms, from the answer of one ping to the next one. */
  readonly intervalMs: number;
  /** How long an answer may take, in ms, in which this process itself was not held up. */
  readonly timeoutMs: number;
}

/** How a transport connects. */
export interface ConnectOptions {
  /** The longest one attempt to connect may take, until the peer speaks HTTP/2, in ms. Default 1,000. */
  readonly connectTimeoutMs?: number;
  /**
   * Pings a peer on which calls are in flight every `intervalMs`, and ends the connection when one has had no answer for `timeoutMs`.
   * For peers of our own only: others may take pings for an attack. Default: no pings.
   */
  readonly keepalive?: Keepalive | undefined;
  /** Greatest response, in bytes. Default 4 MiB, as gRPC's. */
  readonly maxResponseBytes?: number;
}

/** How a transport listens. */
export interface ListenOptions {
  /** Greatest request, in bytes. Default 4 MiB, as gRPC's. */
  readonly maxRequestBytes?: number;
  /** How old a socket may become, in ms (±10 %), before its client is told to open another. Default 30 minutes. */
  readonly maxConnectionAgeMs?: number | undefined;
  /** How long calls on a socket that is too old may go on, in ms. Default: as long as they take. */
  readonly maxConnectionAgeGraceMs?: number | undefined;
}

/** What moves calls between instances; everything above does not know which one is in use. */
export interface Transport {
  /** The schemes of the addresses it takes, such as `h2c`. */
  readonly schemes: readonly string[];
  /** Never fails: a bad address or an absent peer fails the calls. */
  connect(address: string, options?: ConnectOptions): Connection;
  /** Rejects with an error that names the fix when the address is taken or malformed. Port 0 takes a free port. */
  listen(address: string, options?: ListenOptions): Promise<Listener>;
}
