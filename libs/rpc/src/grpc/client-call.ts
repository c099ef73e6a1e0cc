import { Metadata as GrpcMetadata, type Channel } from '@grpc/grpc-js';
import { context as otel } from '@opentelemetry/api';
import { detached } from '@talaria/context';
import { Status } from 'nice-grpc-common';
import { endedHere, msUntil, watchDeadline } from '../deadline.ts';
import type { TransportError } from '../transport-error.ts';
import type { WireCallOptions, WireMethod } from '../transport.ts';
import { fromGrpc, toGrpc } from './metadata.ts';
import { errorOf } from './status.ts';

/** Told of what comes back. */
export interface ClientCallListener {
  message(bytes: Uint8Array): void;
  /** Once, when the call is over; without an error if its status is OK. */
  end(error?: TransportError): void;
}

/** One call on a channel that is ready. */
export interface ClientCall {
  /** Resolves when the peer has room for the next one, or when the call is over. */
  send(bytes: Uint8Array): Promise<void>;
  halfClose(): void;
  /** Asks for one message. */
  read(): void;
  /** Ends the call with this error. */
  abort(error: TransportError): void;
}

/** Starts a call, outside of every ambient call: grpc-js shares its sockets and timers between calls. */
export function startCall(channel: Channel, method: WireMethod, options: WireCallOptions, listener: ClientCallListener): ClientCall {
  const { path } = method;
  const deadline = options.deadline === undefined ? Infinity : Date.now() + msUntil(options.deadline, options.clock);
  const active = otel.active();
  let heardOfPeer = false;
  let over = false;
  let roomWaiter: (() => void) | undefined;

  const finish = (error: TransportError | undefined): void => {
    if (over) return;
    over = true;
    options.signal?.removeEventListener('abort', onAbort);
    cancelWatch?.();
    roomWaiter?.();
    listener.end(error);
  };
  const abort = (error: TransportError): void => {
    if (over) return;
    detached(() => call.cancelWithStatus(error.code, error.details));
    finish(error);
  };
  const onAbort = (): void => abort(endedHere(path, options, 'maybe_executed'));
  const cancelWatch = watchDeadline(options, onAbort);

  const call = detached(() => channel.createCall(path, deadline, null, null, null));
  detached(() =>
    call.start(toGrpc(options.metadata), {
      onReceiveMetadata(metadata) {
        heardOfPeer = true;
        if (!over && options.onHeader) otel.with(active, options.onHeader, undefined, fromGrpc(metadata));
      },
      onReceiveMessage(bytes: Buffer) {
        if (!over) listener.message(bytes);
      },
      onReceiveStatus(status) {
        if (over) return;
        const error = status.code === (Status.OK as number) ? undefined : errorOf(path, status, heardOfPeer);
        if (options.onTrailer) otel.with(active, options.onTrailer, undefined, error?.trailer ?? fromGrpc(status.metadata ?? new GrpcMetadata()));
        finish(error);
      },
    }),
  );
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.handle) options.handle.cancel = onAbort;
  // It may have aborted between the connection's last look at it and now.
  if (options.signal?.aborted || options.handle?.over) onAbort();

  return {
    send: (bytes) =>
      new Promise((resolve) => {
        if (over) {
          resolve();
          return;
        }
        roomWaiter = resolve;
        detached(() => call.sendMessageWithContext({ callback: () => resolve() }, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
      }),
    halfClose() {
      if (!over) detached(() => call.halfClose());
    },
    read() {
      if (!over) detached(() => call.startRead());
    },
    abort,
  };
}
