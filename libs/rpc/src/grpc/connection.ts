import { Status } from 'nice-grpc-common';
import { context as otel } from '@opentelemetry/api';
import { connectionCore, type LiveCall } from '../connection-core.ts';
import { endedHere, msUntil, reasonNotToSend } from '../deadline.ts';
import { detached } from '@talaria/context';
import { pullQueue } from '../pull-queue.ts';
import { pumpRequests } from '../pump-requests.ts';
import { TransportError } from '../transport-error.ts';
import type { Connection, ConnectionState, ConnectOptions, WireCallOptions } from '../transport.ts';
import { CONNECT_TIMEOUT_MS, watchedChannel, type WatchedChannel } from './channel.ts';
import { startCall, type ClientCall } from './client-call.ts';
import { peerSession, type PeerSession, type SessionHost } from './session.ts';

/** A peer that hangs up sooner than that after it was reached is not reached for again at once, in ms. */
const SHORT_LIVED_MS = 1_000;
const PAUSE_MS = 250;

/** A connection over HTTP/2. It opens its socket when it is first used. */
export function grpcConnection(address: string, target: string | undefined, options: ConnectOptions): Connection {
  const core = connectionCore();
  const connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  let watched: WatchedChannel | undefined;
  let session: PeerSession | undefined;
  let pause: NodeJS.Timeout | undefined;
  const sessionHost: SessionHost = {
    keepalive: options.keepalive,
    busy: () => core.inFlight > 0,
    leaving: () => core.leaving(),
    // Before its calls fail, so that whoever picks again sees it.
    dead: () => core.setState('failed'),
  };

  /** What was lost is connected again; once it has failed, it stays so until it is. */
  const onState = (state: ConnectionState): void => {
    if (core.state === 'draining' || core.state === 'closed') return;
    if (state === 'ready' || state === 'failed') core.setState(state);
    else if (state === 'connecting' && core.state !== 'failed') core.setState(state);
    else if (state === 'idle') {
      const shortLived = core.state === 'ready' && session !== undefined && performance.now() - session.openedAt < SHORT_LIVED_MS;
      if (core.state !== 'failed') core.setState(shortLived ? 'idle' : 'connecting');
      clearTimeout(pause);
      if (shortLived) pause = detached(() => setTimeout(() => watched?.wake(), PAUSE_MS)).unref();
      else watched?.wake();
    }
  };

  /** Resolves when the channel is ready; throws what became of the call when it will not be in time. */
  const ready = async (path: string, call: WireCallOptions, from: WatchedChannel): Promise<void> => {
    const failed = (why: string): TransportError => new TransportError(path, Status.UNAVAILABLE, `No connection to ${address}: ${why}`, 'never_sent');
    await new Promise<void>((resolve, reject) => {
      const done = (error?: TransportError): void => {
        clearTimeout(timer);
        stopListening();
        call.signal?.removeEventListener('abort', onAbort);
        if (error) reject(error);
        else resolve();
      };
      const check = (): void => {
        if (core.state === 'draining' || core.state === 'closed') done(failed('it was closed'));
        else if (core.state === 'ready' && from.state === 'ready') done();
        else if (core.state === 'failed') done(failed('the peer does not answer'));
        else if (from.state === 'idle') from.wake();
      };
      const onAbort = (): void => done(endedHere(path, call, 'never_sent'));
      const timeLeft = call.deadline === undefined ? connectTimeoutMs : Math.min(connectTimeoutMs, msUntil(call.deadline, call.clock) + 1);
      const timer = detached(() => setTimeout(() => done(reasonNotToSend(path, call) ?? failed(`not within ${connectTimeoutMs} ms`)), timeLeft));
      const stopListening = core.onStateChange(check);
      call.signal?.addEventListener('abort', onAbort, { once: true });
      if (call.handle) call.handle.cancel = onAbort;
      check();
    });
  };

  const open = (to: string): WatchedChannel =>
    (watched ??= watchedChannel(to, options, {
      state: onState,
      session(opened) {
        session = peerSession(opened, sessionHost);
      },
    }));

  /** Ready at once, or a promise of it. */
  const prepare = (path: string, call: WireCallOptions): WatchedChannel | Promise<WatchedChannel> => {
    const refused = reasonNotToSend(path, call);
    if (refused) throw refused;
    if (target === undefined) throw new TransportError(path, Status.UNAVAILABLE, `The address ${address} is malformed: it has to be h2c://host:port`, 'never_sent');
    const from = open(target);
    if (core.state === 'ready' && from.state === 'ready') return from;
    if (core.state === 'failed') throw new TransportError(path, Status.UNAVAILABLE, `No connection to ${address}: the peer does not answer`, 'never_sent');
    from.wake();
    return ready(path, call, from).then(() => from);
  };

  /** A call has begun on the session of now. */
  const placed = (live: LiveCall, call: WireCallOptions, running: ClientCall): void => {
    live.onClose = (error) => running.abort(error);
    const { onLeaving } = call;
    if (onLeaving) live.onLeaving = otel.bind(otel.active(), onLeaving);
    session?.poke();
  };

  const unary: Connection['unary'] = async (method, request, call) => {
    const live = core.enter(method.path);
    try {
      const prepared = prepare(method.path, call);
      const { channel } = prepared instanceof Promise ? await prepared : prepared;
      return await new Promise<Uint8Array>((resolve, reject) => {
        let response: Uint8Array | undefined;
        const running = startCall(channel, method, call, {
          message(bytes) {
            if (response) running.abort(new TransportError(method.path, Status.UNIMPLEMENTED, 'The peer sent more than one response', 'maybe_executed'));
            response = bytes;
            running.read();
          },
          end(error) {
            if (error) reject(error);
            else if (response) resolve(response);
            else reject(new TransportError(method.path, Status.UNIMPLEMENTED, 'The peer sent no response', 'maybe_executed'));
          },
        });
        placed(live, call, running);
        void running.send(request);
        running.halfClose();
        running.read();
      });
    } finally {
      live.leave();
    }
  };

  const stream: Connection['stream'] = (method, requests, call) => ({
    [Symbol.asyncIterator]() {
      let begun = false;
      let over = false;
      let running: ClientCall | undefined;
      let onOver: (() => void) | undefined;
      const abandoned = new AbortController();
      const finish = (error: unknown): void => {
        if (over) return;
        over = true;
        onOver?.();
        if (error === undefined) responses.end();
        else responses.fail(error);
      };
      const begin = async (): Promise<void> => {
        const signal = call.signal ? AbortSignal.any([call.signal, abandoned.signal]) : abandoned.signal;
        const options = { ...call, signal };
        const live = core.enter(method.path);
        try {
          const prepared = prepare(method.path, options);
          const { channel } = prepared instanceof Promise ? await prepared : prepared;
          const started = startCall(channel, method, options, {
            message: (bytes) => responses.push(bytes),
            end(error) {
              live.leave();
              finish(error);
            },
          });
          running = started;
          placed(live, call, started);
          started.read();
          void pumpRequests(requests, {
            get over() {
              return over;
            },
            onOver(listener) {
              onOver = listener;
              if (over) listener();
            },
            send: (bytes) => started.send(bytes),
            halfClose: () => started.halfClose(),
            fail(error) {
              finish(error);
              started.abort(endedHere(method.path, options, 'maybe_executed'));
            },
          });
        } catch (error) {
          live.leave();
          throw error;
        }
      };
      const responses = pullQueue<Uint8Array>({
        onPull() {
          if (begun) running?.read();
          else {
            begun = true;
            begin().catch(finish);
          }
        },
        onReturn() {
          begun = true;
          abandoned.abort();
        },
      });
      return responses;
    },
  });

  return {
    address,
    get state() {
      return core.state;
    },
    get capacity() {
      return session?.capacity;
    },
    get inFlight() {
      return core.inFlight;
    },
    connect() {
      if (target !== undefined && core.state === 'idle') open(target).wake();
    },
    onStateChange: (listener) => core.onStateChange(listener),
    unary,
    stream,
    close: ({ graceMs = 0 } = {}) =>
      core.close(graceMs, () => {
        clearTimeout(pause);
        session?.release();
        watched?.close();
      }),
  };
}
