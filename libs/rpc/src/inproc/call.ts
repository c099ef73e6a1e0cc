import { context as otel } from '@opentelemetry/api';
import { systemClock, type CancelTimer } from '@talaria/base';
import { detached } from '@talaria/context';
import { rateLimited, toWire } from '@talaria/errors';
import { Metadata, Status } from 'nice-grpc-common';
import { copyMetadata } from '../copy-metadata.ts';
import { deadlineReason, endedHere, hungUpReason, msUntil } from '../deadline.ts';
import { pullQueue, type PullQueue } from '../pull-queue.ts';
import { pumpRequests } from '../pump-requests.ts';
import { serveCall, serveUnknown } from '../serve-call.ts';
import { TransportError } from '../transport-error.ts';
import type { WireCallOptions, WireMethod } from '../transport.ts';
import type { InprocListener, InprocServed } from './listener.ts';

/** How many messages may wait on either side, as a socket's buffers would hold some. */
const ROOM = 4;

/** A queue whose writer waits while there is no room. */
interface Lane {
  readonly queue: PullQueue<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  /** Lets a waiting writer go on. */
  unblock(): void;
}

function lane(onReturn: () => void = () => {}): Lane {
  let writer: (() => void) | undefined;
  const unblock = (): void => {
    writer?.();
    writer = undefined;
  };
  const queue = pullQueue<Uint8Array>({ onTake: unblock, onReturn });
  return {
    queue,
    unblock,
    write(bytes) {
      queue.push(Buffer.from(bytes));
      if (queue.size < ROOM) return Promise.resolve();
      return new Promise((resolve) => {
        writer = resolve;
      });
    },
  };
}

/** What a call was begun with. */
export interface InprocCallOptions {
  readonly wire: WireCallOptions;
  readonly maxResponseBytes: number;
  /** Once, when the call is over for the client. */
  readonly onEnd: () => void;
}

/** A call that runs; `abort` ends it with this error. */
export interface InprocCall {
  readonly responses: PullQueue<Uint8Array>;
  abort(error: TransportError): void;
}

/** Begins a call. The listener's side runs outside of every ambient call, as if it had come from a socket. */
export function beginInprocCall(listener: InprocListener, method: WireMethod, requests: AsyncIterable<Uint8Array>, options: InprocCallOptions): InprocCall {
  const { wire, maxResponseBytes } = options;
  const { path } = method;
  const controller = new AbortController();
  const inbound = lane();
  const outbound = lane(() => abort(endedHere(path, wire, 'maybe_executed')));
  const active = otel.active();
  const overListeners = new Set<() => void>();
  let cancelTimer: CancelTimer | undefined;
  let over = false;
  let headerSent = false;
  let trailer = Metadata();

  const end = (error: unknown, reason?: DOMException): void => {
    if (over) return;
    over = true;
    cancelTimer?.();
    wire.signal?.removeEventListener('abort', onAbort);
    if (reason) controller.abort(reason);
    inbound.queue.fail(reason ?? hungUpReason());
    inbound.unblock();
    outbound.unblock();
    if (error === undefined) outbound.queue.end();
    else outbound.queue.fail(error);
    listener.ended(served);
    options.onEnd();
    for (const tell of overListeners) tell();
  };
  const abort = (error: TransportError): void => end(error, error.code === Status.DEADLINE_EXCEEDED ? deadlineReason() : hungUpReason());
  const onAbort = (): void => abort(endedHere(path, wire, 'maybe_executed'));
  /** As the listener's side ends it. */
  const answer = (status: Status, details: string, reason?: DOMException): void => {
    if (over) return;
    if (wire.onTrailer) otel.with(active, wire.onTrailer, undefined, copyMetadata(trailer));
    end(status === Status.OK ? undefined : new TransportError(path, status, details, 'maybe_executed', copyMetadata(trailer)), reason);
  };
  const served: InprocServed = { stop: (status, details) => answer(status, details, hungUpReason()) };

  const sendHeader = (header: Metadata): void => {
    if (headerSent || over) return;
    headerSent = true;
    if (wire.onHeader) otel.with(active, wire.onHeader, undefined, copyMetadata(header));
  };

  listener.begun(served);
  if (wire.deadline !== undefined) {
    const { deadline, clock = systemClock } = wire;
    const late = (): void => abort(new TransportError(path, Status.DEADLINE_EXCEEDED, 'The deadline of the call has passed', 'maybe_executed'));
    cancelTimer = detached(() => clock.after(msUntil(deadline, clock), late));
  }
  wire.signal?.addEventListener('abort', onAbort, { once: true });

  void pumpRequests(requests, {
    get over() {
      return over;
    },
    onOver: (tell) => void overListeners.add(tell),
    async send(bytes) {
      if (bytes.length <= listener.maxRequestBytes) await inbound.write(bytes);
      else {
        const { message, trailer: details } = toWire(rateLimited('message_too_large', `Received message larger than max (${bytes.length} vs ${listener.maxRequestBytes})`, { retryable: false }));
        trailer = details;
        answer(Status.RESOURCE_EXHAUSTED, message, hungUpReason());
      }
    },
    halfClose: () => inbound.queue.end(),
    fail: (error) => end(error, hungUpReason()),
  });

  const metadata = copyMetadata(wire.metadata);
  detached(() =>
    queueMicrotask(() => {
      const served = listener.method(path);
      if (over) return;
      const setTrailer = (next: Metadata): void => {
        trailer = copyMetadata(next);
      };
      if (!served) {
        serveUnknown(path, { setTrailer }, { end: answer });
        return;
      }
      const incoming = {
        path,
        peer: { address: 'inproc' },
        metadata,
        deadline: wire.deadline,
        clock: wire.clock,
        signal: controller.signal,
        leaving: listener.leaving,
        requests: inbound.queue,
        sendHeader,
        setTrailer,
      };
      void serveCall(served, incoming, {
        end: answer,
        refuse: (details) => end(new TransportError(path, Status.UNAVAILABLE, details, 'refused')),
        async send(bytes) {
          if (over) return;
          sendHeader(Metadata());
          if (bytes.length <= maxResponseBytes) await outbound.write(bytes);
          else abort(new TransportError(path, Status.RESOURCE_EXHAUSTED, `Received message larger than max (${bytes.length} vs ${maxResponseBytes})`, 'maybe_executed'));
        },
      });
    }),
  );
  return { responses: outbound.queue, abort };
}
