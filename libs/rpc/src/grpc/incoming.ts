import { type Metadata as GrpcMetadata, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { rateLimited, toWire } from '@talaria/errors';
import { Metadata, Status } from 'nice-grpc-common';
import type { Ticket } from '../admission.ts';
import { deadlineReason, hungUpReason } from '../deadline.ts';
import { pullQueue } from '../pull-queue.ts';
import { REFUSED_KEY } from '../refused-key.ts';
import { moved, serveCall, serveUnknown } from '../serve-call.ts';
import type { IncomingCall, ServedMethod } from '../transport.ts';
import { fromGrpc, toGrpc } from './metadata.ts';

/** A call that is being answered. */
export interface ServedCall {
  /** Ends it with UNAVAILABLE, since the listener stops. */
  stop(): void;
}

/** What the listener has to do with its calls. */
export interface CallHost {
  readonly draining: boolean;
  /** Aborts when it begins to drain. */
  readonly leaving: AbortSignal;
  begun(call: ServedCall): void;
  ended(call: ServedCall): void;
}

/** Answers a call of a method that is not served. */
export function refuseUnknownMethod(path: string, call: ServerInterceptingCallInterface): void {
  let metadata: GrpcMetadata | null = null;
  serveUnknown(path, { setTrailer: (trailer) => (metadata = toGrpc(trailer)) }, { end: (code, details) => call.sendStatus({ code: code as number, details, metadata }) });
}

/**
 * Gives the statuses that grpc-js makes by itself the details that all others carry: so far, of a request that is too large.
 * `onStatus` is told of all.
 */
function explainOwnStatuses(call: ServerInterceptingCallInterface, onStatus: (code: Status) => void): void {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    onStatus(status.code as number);
    if (status.code !== (Status.RESOURCE_EXHAUSTED as number) || status.metadata) return send(status);
    const { trailer } = toWire(rateLimited('message_too_large', status.details, { retryable: false }));
    send({ ...status, metadata: toGrpc(trailer) });
  };
}

/** Answers a call of grpc-js below its surface API: message by message, undecoded, one read at a time. */
export function serveGrpcCall(method: ServedMethod, call: ServerInterceptingCallInterface, host: CallHost, ticket: Ticket | undefined): void {
  let code: Status | undefined;
  const admittedAt = ticket ? performance.now() : 0;
  explainOwnStatuses(call, (status) => (code ??= status));
  const controller = new AbortController();
  const requests = pullQueue<Uint8Array>({ onPull: () => call.startRead() });
  let trailer: GrpcMetadata | undefined;
  let answered = false;
  let handling = false;
  let done = false;
  let responded = false;
  let roomWaiter: (() => void) | undefined;

  const end = (status: Status, details: string): void => {
    if (answered) return;
    answered = true;
    // encodeURI, which grpc-js uses, throws for lone surrogates.
    call.sendStatus({ code: status as number, details: details.toWellFormed(), metadata: trailer ?? null });
  };
  const refuse = (details: string): void => {
    trailer = toGrpc(Metadata({ [REFUSED_KEY]: 'draining' }));
    end(Status.UNAVAILABLE, details);
  };
  const served: ServedCall = {
    stop() {
      const { status, message, trailer: details } = toWire(moved());
      trailer = toGrpc(details);
      end(status, message);
      abort(hungUpReason());
    },
  };
  const abort = (reason: DOMException): void => {
    if (!controller.signal.aborted) controller.abort(reason);
    requests.fail(reason);
    roomWaiter?.();
  };

  const run = (metadata: GrpcMetadata): void => {
    const until = Number(call.getDeadline());
    if (until <= Date.now()) {
      end(Status.DEADLINE_EXCEEDED, 'The deadline of the call has passed');
      return;
    }
    if (host.draining) {
      // Counted as well: a listener that has nothing else to wait for would end the socket before the client hears of it.
      host.begun(served);
      refuse('The server is stopping');
      return;
    }
    const incoming: IncomingCall = {
      path: method.path,
      peer: { address: call.getPeer() },
      metadata: fromGrpc(metadata),
      deadline: Number.isFinite(until) ? performance.now() + (until - Date.now()) : undefined,
      signal: controller.signal,
      leaving: host.leaving,
      requests,
      sendHeader: (header) => call.sendMetadata(toGrpc(header)),
      setTrailer(next) {
        trailer = toGrpc(next);
      },
    };
    host.begun(served);
    handling = true;
    const handled = serveCall(method, incoming, {
      refuse,
      end(status, details, reason) {
        end(status, details);
        if (reason) abort(reason);
      },
      send: (bytes) =>
        new Promise((resolve) => {
          if (controller.signal.aborted) {
            resolve();
            return;
          }
          if (method.responseStream && !responded) {
            responded = true;
            ticket?.responded?.(performance.now() - admittedAt);
          }
          roomWaiter = resolve;
          call.sendMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), resolve);
        }),
    });
    void handled.then(() => {
      handling = false;
      if (done) ticket?.handled?.();
    });
  };

  call.start({
    onReceiveMetadata: run,
    onReceiveMessage: (bytes: Buffer) => requests.push(bytes),
    onReceiveHalfClose() {
      // Node ends a stream that was reset just as one that was finished. A read makes grpc-js look, and call onCancel in
      // the next tick if it was: before the one below.
      call.startRead();
      process.nextTick(() => requests.end());
    },
    // grpc-js calls it when the stream is over, however it ended: also after a status, its own at the deadline included.
    onCancel() {
      if (!answered) {
        answered = true;
        const late = Number(call.getDeadline()) <= Date.now();
        code ??= late ? Status.DEADLINE_EXCEEDED : Status.CANCELLED;
        abort(late ? deadlineReason() : hungUpReason());
      }
      ticket?.done({ code: code ?? Status.CANCELLED, durationMs: performance.now() - admittedAt, handling });
      done = true;
      host.ended(served);
    },
  });
}
