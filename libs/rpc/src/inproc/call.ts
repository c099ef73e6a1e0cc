import { context as otel } from '@opentelemetry/api';
import { systemClock, type CancelTimer } from '@talaria/base';
import { detached } from '@talaria/context';
import { rateLimited, toWire } from '@talaria/errors';
import { Metadata, Status } from 'nice-grpc-common';
import type { ArrivingCall, Refusal, Ticket } from '../admission.ts';
import { copyMetadata } from '../copy-metadata.ts';
import { deadlineReason, endedHere, hungUpReason, isPast, msUntil } from '../deadline.ts';
import { decide } from '../decide.ts';
import type { PullQueue } from '../pull-queue.ts';
import { pumpRequests } from '../pump-requests.ts';
import { REFUSED_KEY } from '../refused-key.ts';
import { moved, serveCall, serveUnknown } from '../serve-call.ts';
import { TransportError } from '../transport-error.ts';
import type { ServedMethod, WireCallOptions, WireMethod } from '../transport.ts';
import { lane } from './lane.ts';
import type { InprocListener, InprocServed } from './listener.ts';

/** What a call was begun with. */
export interface InprocCallOptions {
  readonly wire: WireCallOptions;
  readonly maxResponseBytes: number;
  /** The listener is going away. */
  readonly onLeaving: () => void;
  /** Once, when the call is over for the client. */
  readonly onEnd: () => void;
}

/** A call that runs; `abort` ends it with this error. */
export interface InprocCall {
  readonly responses: PullQueue<Uint8Array>;
  abort(error: TransportError): void;
}

const PEER = { address: 'inproc' };

/** Begins a call. The listener's side runs outside of every ambient call, as if it had come from a socket. */
export function beginInprocCall(listener: InprocListener, method: WireMethod, requests: AsyncIterable<Uint8Array>, options: InprocCallOptions): InprocCall {
  const { wire, maxResponseBytes } = options;
  const { path } = method;
  const { clock = systemClock } = wire;
  const inbound = lane();
  const outbound = lane(() => abort(endedHere(path, wire, 'maybe_executed')));
  const active = otel.active();
  const overListeners = new Set<() => void>();
  let controller: AbortController | undefined;
  let cancelTimer: CancelTimer | undefined;
  let over = false;
  let headerSent = false;
  let trailer = Metadata();
  let onOver: ((code: Status) => void) | undefined;

  /** `code` as the listener's side sees it. */
  const end = (error: unknown, code: Status, reason?: DOMException): void => {
    if (over) return;
    over = true;
    cancelTimer?.();
    wire.signal?.removeEventListener('abort', onAbort);
    if (reason) controller?.abort(reason);
    inbound.queue.fail(reason ?? hungUpReason());
    inbound.unblock();
    outbound.unblock();
    if (error === undefined) outbound.queue.end();
    else outbound.queue.fail(error);
    listener.ended(served);
    options.onEnd();
    for (const tell of overListeners) tell();
    onOver?.(code);
  };
  const abort = (error: TransportError): void => {
    if (error.code === Status.DEADLINE_EXCEEDED) end(error, error.code, deadlineReason());
    else end(error, Status.CANCELLED, hungUpReason());
  };
  const onAbort = (): void => abort(endedHere(path, wire, 'maybe_executed'));
  /** As the listener's side ends it. */
  const answer = (status: Status, details: string, reason?: DOMException): void => {
    if (over) return;
    if (wire.onTrailer) otel.with(active, wire.onTrailer, undefined, copyMetadata(trailer));
    end(status === Status.OK ? undefined : new TransportError(path, status, details, 'maybe_executed', copyMetadata(trailer)), status, reason);
  };
  const refuse = (details: string): void => end(new TransportError(path, Status.UNAVAILABLE, details, 'refused'), Status.UNAVAILABLE);
  const turnDown = ({ status, details, trailer: all }: Refusal['refusal']): void => {
    if (!all.has(REFUSED_KEY)) {
      setTrailer(all);
      return answer(status, details);
    }
    const rest = copyMetadata(all);
    rest.delete(REFUSED_KEY);
    if (!over && wire.onTrailer) otel.with(active, wire.onTrailer, undefined, copyMetadata(rest));
    end(new TransportError(path, status, details, 'refused', rest), status);
  };
  const served: InprocServed = {
    leaving: options.onLeaving,
    stop() {
      const { status, message, trailer: details } = toWire(moved());
      trailer = details;
      answer(status, message, hungUpReason());
    },
  };
  const setTrailer = (next: Metadata): void => {
    trailer = copyMetadata(next);
  };
  const sendHeader = (header: Metadata): void => {
    if (headerSent || over) return;
    headerSent = true;
    if (wire.onHeader) otel.with(active, wire.onHeader, undefined, copyMetadata(header));
  };

  listener.begun(served);
  if (wire.deadline !== undefined) {
    const { deadline } = wire;
    const late = (): void => abort(new TransportError(path, Status.DEADLINE_EXCEEDED, 'The deadline of the call has passed', 'maybe_executed'));
    cancelTimer = detached(() => clock.after(msUntil(deadline, clock), late));
  }
  wire.signal?.addEventListener('abort', onAbort, { once: true });
  if (wire.handle) wire.handle.cancel = onAbort;

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
    fail: (error) => end(error, Status.CANCELLED, hungUpReason()),
  });

  const metadata = copyMetadata(wire.metadata);
  const run = async (target: ServedMethod, onResponse?: () => void): Promise<void> => {
    let responded = !target.responseStream;
    const { signal } = (controller = new AbortController());
    const incoming = { path, peer: PEER, metadata, deadline: wire.deadline, clock: wire.clock, signal, leaving: listener.leaving, requests: inbound.queue, sendHeader, setTrailer };
    await serveCall(target, incoming, {
      end: answer,
      refuse,
      async send(bytes) {
        if (over) return;
        if (!responded) {
          responded = true;
          onResponse?.();
        }
        sendHeader(Metadata());
        if (bytes.length <= maxResponseBytes) await outbound.write(bytes);
        else abort(new TransportError(path, Status.RESOURCE_EXHAUSTED, `Received message larger than max (${bytes.length} vs ${maxResponseBytes})`, 'maybe_executed'));
      },
    });
  };
  const taken = (target: ServedMethod, ticket: Ticket): void => {
    const admittedAt = clock.monotonic();
    let handling = false;
    onOver = (code) => ticket.done({ code, durationMs: clock.monotonic() - admittedAt, handling });
    if (over) onOver(isPast(wire.deadline, clock) ? Status.DEADLINE_EXCEEDED : Status.CANCELLED);
    else if (listener.draining) refuse('The server is stopping');
    else {
      handling = true;
      void run(target, () => ticket.responded?.(clock.monotonic() - admittedAt)).then(() => {
        handling = false;
        if (over) ticket.handled?.();
      });
    }
  };
  const arrive = (): void => {
    const target = listener.method(path);
    if (over) return;
    if (!target) serveUnknown(path, { setTrailer }, { end: answer });
    else if (!target.admission || target.calls?.draining) void run(target);
    else {
      decide(target.admission, arriving(target), (decision) => {
        if (!('refusal' in decision)) taken(target, decision);
        else turnDown(decision.refusal);
      });
    }
  };
  const arriving = (target: ServedMethod): ArrivingCall => ({
    path,
    method: target,
    peer: PEER,
    deadline: wire.deadline,
    clock: wire.clock,
    get gone() {
      return over;
    },
    header: (name) => (metadata.has(name) ? metadata.getAll(name).join(', ') : undefined),
  });
  detached(() => queueMicrotask(arrive));
  return { responses: outbound.queue, abort };
}
