import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { lookup } from 'node:dns/promises';
import { badRequest, timeout } from '@talaria/errors';
import { problemText } from './answer.ts';
import { HttpError } from './http-error.ts';
import { liveOf, type Live } from './limits.ts';

/** Answers one request. */
export type Handle = (req: IncomingMessage, res: ServerResponse, continueFirst: boolean) => void;

/** How long a client may take, in ms. Where a setting says it, it may change at any moment, for requests under way too. */
export interface ServerTimeouts {
  /** For the headers of a request; never longer than for the whole. Default 10,000. */
  readonly headersMs?: Live<number> | undefined;
  /** For a whole request, from its first byte to its last. Default 30,000. */
  readonly requestMs?: Live<number> | undefined;
  /** Between two requests on one connection. Default 65,000: longer than the 60 s of usual load balancers. */
  readonly keepAliveMs?: Live<number> | undefined;
}

/** How often Node looks for requests that take too long, in ms, unless their headers have to come sooner; its default is 30 s. Fixed when the server is made. */
const LOOK_EVERY_MS = 1_000;

/** What the parser of Node refused, as a raw answer: there is no request to answer. */
function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const refusal =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new HttpError(timeout('request', 'The request took too long to arrive.'), 408)
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? new HttpError(badRequest('headers_too_large', 'The headers of the request are too large.'), 431)
        : new HttpError(badRequest('malformed_request', 'This is not an HTTP/1.1 request.'), 400);
  const body = problemText(refusal, undefined);
  const head = [`HTTP/1.1 ${String(refusal.status)} Refused`, 'Connection: close', 'Content-Type: application/problem+json', `Content-Length: ${String(Buffer.byteLength(body))}`];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** A server with limits, so that slow clients hold no connections for ever. Not listening yet. */
export function limitedServer(handle: Handle, timeouts: ServerTimeouts = {}): Server {
  const [headers, request, keepAlive] = [liveOf(timeouts.headersMs, 10_000), liveOf(timeouts.requestMs, 30_000), liveOf(timeouts.keepAliveMs, 65_000)];
  const server = createServer({
    connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, headers.get(), request.get()),
    // Without one Node would answer 400 with an empty body; the handler says what is wrong.
    requireHostHeader: false,
    noDelay: true,
  });
  // Node reads these each time that it looks.
  const apply = (): void => {
    server.headersTimeout = Math.min(headers.get(), request.get());
    server.requestTimeout = request.get();
    server.keepAliveTimeout = keepAlive.get();
  };
  apply();
  server.once('listening', () => {
    const stops = [headers, request, keepAlive].map((setting) => setting.onChange(apply));
    server.once('close', () => stops.forEach((stop) => stop()));
  });
  server.on('request', (req, res) => handle(req, res, false));
  server.on('checkContinue', (req, res) => handle(req, res, true));
  // An expectation that Node does not know: without a listener it answers 417 with an empty body.
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => handle(req, res, false));
  server.on('clientError', onClientError);
  return server;
}

/** Loopback of a family that this machine lacks. */
const ABSENT = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Only when it is asked for does `::` take IPv4 too.
    server.listen({ host, port, ipv6Only: host.includes(':') && host !== '::' }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Both loopbacks for `localhost`, whose clients may take either; a name's addresses otherwise. */
async function addressesOf(host: string): Promise<string[]> {
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  return [...new Set((await lookup(host, { all: true })).map(({ address }) => address))];
}

/** What listens, and where. */
export interface Listening {
  readonly servers: readonly Server[];
  readonly port: number;
  /** `127.0.0.1:8080`, `[::1]:8080`. */
  readonly addresses: readonly string[];
}

/** Listens on every address of `host`, on one port. Rejects with one sentence that names the fix. */
export async function listenAll(make: () => Server, host: string, port: number): Promise<Listening> {
  const servers: Server[] = [];
  const addresses: string[] = [];
  let bound = port;
  let absent: unknown;
  try {
    for (const address of await addressesOf(host)) {
      const server = make();
      try {
        bound = await listenOn(server, address, bound);
        servers.push(server);
        addresses.push(`${address.includes(':') ? `[${address}]` : address}:${String(bound)}`);
      } catch (error) {
        if (!ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
        absent = error;
      }
    }
    if (servers.length === 0) throw absent;
  } catch (cause) {
    for (const server of servers) server.close();
    throw explain(cause as NodeJS.ErrnoException, host, bound);
  }
  return { servers, port: bound, addresses };
}

function explain(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  if (cause.code === 'EADDRINUSE') return new Error(`Port ${String(port)} is taken: set PORT to a free one, such as PORT=${String(port + 1)}.`, { cause });
  if (cause.code === 'EACCES') return new Error(`Port ${String(port)} needs more rights than this process has: set PORT to one above 1023.`, { cause });
  return new Error(`Cannot listen on ${host}: set TALARIA_HTTP_HOST to an address of this machine (${cause.code ?? cause.message}).`, { cause });
}
