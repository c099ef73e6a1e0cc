import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import { Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { detached } from '@talaria/context';
import { Status } from 'nice-grpc-common';
import type { Ticket } from '../admission.ts';
import { LONGEST_MS } from '../deadline.ts';
import { inFlight } from '../in-flight.ts';
import type { Listener, ListenOptions, ServedMethod } from '../transport.ts';
import { MAX_MESSAGE_BYTES } from './channel.ts';
import { admitStream } from './arrival.ts';
import { refuseUnknownMethod, serveGrpcCall, type ServedCall } from './incoming.ts';
import { applyTimeoutPatch } from './timeout-patch.ts';

applyTimeoutPatch();

/** The default of `maxConnectionAgeMs`: what is behind a balancer of sockets is spread anew that often. */
const MAX_AGE_MS = 30 * 60_000;
/** What grpc-js takes for no limit. */
const UNLIMITED_MS = 2 ** 31 - 1;
/** How long a stopping listener waits for its last words to leave before it cuts the sockets. */
const LAST_WORDS_MS = 250;

/** How grpc-js answers a stream. */
type StreamHandler = (interceptors: unknown, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

const same = (bytes: Buffer): Buffer => bytes;
const unused = (): void => {};

/** grpc-js adds up to a tenth, for which there has to be room in a timer. */
function ageOf(ms: number): number {
  return ms * 1.1 > LONGEST_MS ? UNLIMITED_MS : ms;
}

/** Fails as listening would. grpc-js itself writes to the console when it cannot bind. */
async function probe(target: string): Promise<void> {
  const colon = target.lastIndexOf(':');
  const socket = createServer();
  socket.listen({ host: target.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(target.slice(colon + 1)), exclusive: true });
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}

function bind(server: Server, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

/** Why binding failed, with the fix. */
function listenError(address: string, cause: unknown): Error {
  const text = String(cause);
  if (text.includes('EADDRINUSE')) return new Error(`${address} is taken by another program: stop it, or choose another port (0 takes a free one)`, { cause });
  if (text.includes('EACCES')) return new Error(`${address} may not be bound by this user: choose a port above 1023`, { cause });
  return new Error(`Cannot listen on ${address}: its host has to be a name or an address of this machine`, { cause });
}

/** Listens on `target` (`host:port`). */
export async function grpcListener(address: string, target: string, options: ListenOptions): Promise<Listener> {
  const methods = new Map<string, ServedMethod>();
  const contracts = new Map<string, readonly ServedMethod[]>();
  const running = inFlight<ServedCall>();
  const leaving = new AbortController();
  let draining: Promise<void> | undefined;

  const host = {
    get draining() {
      return draining !== undefined;
    },
    leaving: leaving.signal,
    begun: (call: ServedCall) => running.add(call),
    ended: (call: ServedCall) => running.remove(call),
  };
  let ticket: Ticket | undefined;
  // The handlers that grpc-js knows do nothing: this takes each call before its surface API, which would build a stream
  // for it, and would wait for a whole request before anything could be refused.
  const takeOver: ServerInterceptor = ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start() {
        const method = methods.get(path);
        const admitted = ticket;
        ticket = undefined;
        if (method) serveGrpcCall(method, call, host, admitted);
        else {
          // It was removed while the call waited to be admitted.
          admitted?.done({ code: Status.UNIMPLEMENTED, durationMs: 0 });
          refuseUnknownMethod(path, call);
        }
      },
    });
  const server = new Server({
    'grpc.max_receive_message_length': options.maxRequestBytes ?? MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
    'grpc.max_connection_age_ms': ageOf(options.maxConnectionAgeMs ?? MAX_AGE_MS),
    'grpc.max_connection_age_grace_ms': ageOf(options.maxConnectionAgeGraceMs ?? Infinity),
    interceptors: [takeOver],
  });
  // Methods that it does not know grpc-js answers before any interceptor, without details. So to it there are none.
  Reflect.set(server, '_retrieveHandler', (path: string) => ({ func: unused, serialize: same, deserialize: same, type: 'bidi', path }));
  // A call is refused before grpc-js makes anything of its stream. What is found here it would find by itself, and then knows how to answer.
  const answer = Reflect.get(server, '_streamHandler') as StreamHandler;
  const onStream: StreamHandler = (interceptors, stream, headers) => {
    const method = methods.get(headers[':path'] ?? '');
    const proceed = (admitted?: Ticket): void => {
      ticket = admitted;
      answer.call(server, interceptors, stream, headers);
      // Nobody took it: the stream has ended, or is no call.
      ticket?.done({ code: Status.CANCELLED, durationMs: 0 });
      ticket = undefined;
    };
    const { admission } = method ?? {};
    if (!method || !admission || draining || method.calls?.draining || !headers['content-type']?.startsWith('application/grpc')) proceed();
    else admitStream(admission, method, stream, headers, proceed);
  };
  const arrived: StreamHandler = (interceptors, stream, headers) => detached(() => onStream(interceptors, stream, headers));
  Reflect.set(server, '_streamHandler', arrived);
  const port = await detached(() => probe(target).then(() => bind(server, target))).catch((cause: unknown) => {
    server.forceShutdown();
    throw listenError(address, cause);
  });
  const bound = target.replace(/:\d+$/, `:${port}`);
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();

  const shut = async (limitMs: number): Promise<void> => {
    // Sends GOAWAY on every session: clients open what they begin from now on elsewhere.
    const gone = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    leaving.abort(new DOMException('The server is stopping', 'AbortError'));
    await running.empty(limitMs);
    for (const call of running.calls) call.stop();
    await running.empty(LAST_WORDS_MS);
    // forceShutdown destroys only the sessions that channelz knows, so that sessions are ended by drain as well.
    server.drain(bound, 0);
    server.forceShutdown();
    // tryShutdown may never call back (https://github.com/grpc/grpc-node/issues/1664).
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      gone,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, 1_000);
      }),
    ]);
    clearTimeout(timer);
    onClosed();
  };

  return {
    address: `h2c://${bound}`,
    closed,
    add(contract, served) {
      if (contracts.has(contract)) throw new Error(`${contract} is served already: remove it first`);
      contracts.set(contract, served);
      for (const method of served) methods.set(method.path, method);
    },
    remove(contract) {
      for (const { path } of contracts.get(contract) ?? []) methods.delete(path);
      contracts.delete(contract);
    },
    drain(limitMs) {
      draining ??= detached(() => shut(limitMs));
      return draining;
    },
  };
}
