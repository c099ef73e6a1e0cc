import { context as otel } from '@opentelemetry/api';
import { Status } from 'nice-grpc-common';
import { connectionCore, type LiveCall } from '../connection-core.ts';
import { reasonNotToSend } from '../deadline.ts';
import { pullQueue, type PullQueue } from '../pull-queue.ts';
import { TransportError } from '../transport-error.ts';
import type { Connection, ConnectOptions, WireCallOptions, WireMethod } from '../transport.ts';
import { beginInprocCall } from './call.ts';
import { MAX_MESSAGE_BYTES, type InprocListener } from './listener.ts';

async function* one(request: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield request;
}

/** A connection to whoever listens under `address` when a call is made. */
export function inprocConnection(address: string, find: () => InprocListener | undefined, options: ConnectOptions): Connection {
  const core = connectionCore();
  const maxResponseBytes = options.maxResponseBytes ?? MAX_MESSAGE_BYTES;

  const begin = (method: WireMethod, requests: AsyncIterable<Uint8Array>, wire: WireCallOptions): PullQueue<Uint8Array> => {
    const live: LiveCall = core.enter(method.path);
    try {
      const refused = reasonNotToSend(method.path, wire);
      if (refused) throw refused;
      const listener = find();
      core.setState(listener ? 'ready' : 'failed');
      if (!listener) throw new TransportError(method.path, Status.UNAVAILABLE, `Nobody listens on ${address}`, 'never_sent');
      if (listener.draining) throw new TransportError(method.path, Status.UNAVAILABLE, 'The server is stopping', 'refused');
      if (wire.onLeaving) live.onLeaving = otel.bind(otel.active(), wire.onLeaving);
      const onLeaving = (): void => {
        const tell = live.onLeaving;
        live.onLeaving = undefined;
        tell?.();
      };
      const call = beginInprocCall(listener, method, requests, { wire, maxResponseBytes, onLeaving, onEnd: () => live.leave() });
      live.onClose = (error) => call.abort(error);
      return call.responses;
    } catch (error) {
      live.leave();
      throw error;
    }
  };

  return {
    address,
    get state() {
      // Nothing reconnects here by itself, so that a listener that came back has to be looked for.
      return core.state === 'failed' && find() ? 'idle' : core.state;
    },
    get inFlight() {
      return core.inFlight;
    },
    connect() {
      if (core.state === 'idle' || core.state === 'failed') core.setState(find() ? 'ready' : 'failed');
    },
    onStateChange: (listener) => core.onStateChange(listener),
    async unary(method, request, wire) {
      const responses = begin(method, one(request), wire);
      const first = await responses.next();
      if (first.done) throw new TransportError(method.path, Status.UNIMPLEMENTED, 'The peer sent no response', 'maybe_executed');
      const second = await responses.next();
      if (second.done) return first.value;
      void responses.return();
      throw new TransportError(method.path, Status.UNIMPLEMENTED, 'The peer sent more than one response', 'maybe_executed');
    },
    stream: (method, requests, wire) => ({
      [Symbol.asyncIterator]() {
        // The call begins with the first pull, as on a socket.
        let responses: PullQueue<Uint8Array> | undefined;
        const done = pullQueue<Uint8Array>();
        return {
          next: async () => (responses ??= begin(method, requests, wire)).next(),
          return() {
            responses ??= done;
            return responses.return();
          },
        };
      },
    }),
    close: ({ graceMs = 0 } = {}) => core.close(graceMs, () => {}),
  };
}
