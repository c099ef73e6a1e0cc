import type { Clock } from '@talaria/base';
import type { Metadata, Status } from 'nice-grpc-common';
import type { Peer, ServedMethod } from './transport.ts';

/** A call that is about to be admitted: nothing of it is decoded, copied or allocated yet. */
export interface ArrivingCall {
  /** `/account.v1.AccountService/GetAccount`. */
  readonly path: string;
  readonly method: ServedMethod;
  readonly peer: Peer;
  /**
   * A textual header by its name in lower case, without copying the others; undefined if the client did not send it. Values of one that
   * was sent several times are joined by `, `.
   */
  header(name: string): string | undefined;
  /** When the client stops waiting, in ms of `clock.monotonic()`. */
  readonly deadline?: number | undefined;
  /** What `deadline` is measured by. Default: the time of this machine. */
  readonly clock?: Clock | undefined;
  /** Whether its client has hung up or stopped waiting: what waits for a turn of it may be forgotten. */
  readonly gone: boolean;
}

/** That a call was admitted. */
export interface Ticket {
  /** Called once, before `done`, when the first response of a method that streams responses is sent. `durationMs` counts from the admission. Must not throw. */
  responded?(durationMs: number): void;
  /**
   * Called exactly once, when the call is over, however it ended; `code` is its status, CANCELLED if its client hung up. `durationMs` counts
   * from the admission; for a stream it ends when its last message has left. `handling`: its handler, which may not heed that the call is
   * over, still works on it; `handled` follows. Must not throw.
   */
  done(result: { readonly code: Status; readonly durationMs: number; readonly handling?: boolean | undefined }): void;
  /** Called once, after a `done` that said `handling`, when the handler has come to its end, if it ever does. Must not throw. */
  handled?(): void;
}

/**
 * That a call is refused, and with what. The same object may serve many calls: transports cache what they make of it. A trailer
 * `x-talaria-refused` says that the call may be made elsewhere, whatever it does.
 */
export interface Refusal {
  readonly refusal: { readonly status: Status; readonly details: string; readonly trailer: Metadata };
}

/** What becomes of a call. */
export type Decision = Ticket | Refusal;

/**
 * Decides whether a server takes a call, before anything of it is decoded. Methods that nobody serves, listeners that stop
 * and contracts that are being removed are answered before it is asked.
 */
export interface Admission {
  /**
   * A promise makes the call wait; should its client hang up or its deadline pass meanwhile, the ticket is done at once and no handler
   * runs. What it throws ends the call with UNKNOWN.
   */
  admit(call: ArrivingCall): Decision | Promise<Decision>;
}
