import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Metadata, Status } from 'nice-grpc-common';
import type { Admission, ArrivingCall, Refusal, Ticket } from '../admission.ts';
import { decide } from '../decide.ts';
import { LONGEST_MS } from '../deadline.ts';
import type { Peer, ServedMethod } from '../transport.ts';
import { toGrpc } from './metadata.ts';
import { timeoutMs } from './timeout-patch.ts';

const TIMEOUT_HEADER = 'grpc-timeout';
/** The most digits that a `grpc-timeout` may have. */
const MOST_TIMEOUT = 99_999_999;

type Refused = Refusal['refusal'];

const late: Refused = { status: Status.DEADLINE_EXCEEDED, details: 'The deadline of the call has passed', trailer: Metadata() };

const answers = new WeakMap<Refused, OutgoingHttpHeaders>();
const ignore = (): void => {};

/** The headers of an answer that is nothing but a status. Source: "Responses", Trailers-Only, in gRPC's PROTOCOL-HTTP2.md. */
function answerOf(refusal: Refused): OutgoingHttpHeaders {
  let answer = answers.get(refusal);
  if (!answer) {
    const { status, details, trailer } = refusal;
    answer = {
      [constants.HTTP2_HEADER_STATUS]: constants.HTTP_STATUS_OK,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
      'grpc-status': status,
      // encodeURI throws for lone surrogates.
      'grpc-message': encodeURI(details.toWellFormed()),
      ...toGrpc(trailer).toHttp2Headers(),
    };
    answers.set(refusal, answer);
  }
  return answer;
}

/** Answers a stream of which nothing was read, and nothing will be: HTTP/2 then tells the client to stop sending. */
function refuse(stream: ServerHttp2Stream, refusal: Refused): void {
  if (!hasEnded(stream) && !stream.headersSent) stream.respond(answerOf(refusal), { endStream: true });
}

function hasEnded(stream: ServerHttp2Stream): boolean {
  return stream.closed || stream.destroyed;
}

/** A call as it stands in the headers of its stream. A class, since getters of a literal are made anew for each call, which takes most of a µs. */
class HeadersCall implements ArrivingCall {
  readonly path: string;
  readonly method: ServedMethod;
  readonly deadline: number | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;

  constructor(method: ServedMethod, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.path = method.path;
    this.method = method;
    const left = timeoutMs(headers[TIMEOUT_HEADER]);
    this.deadline = left === undefined ? undefined : performance.now() + Math.min(left, LONGEST_MS);
    this.#stream = stream;
    this.#headers = headers;
  }

  get peer(): Peer {
    const { remoteAddress = 'unknown', remotePort } = this.#stream.session?.socket ?? {};
    return { address: remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}` };
  }

  get gone(): boolean {
    return hasEnded(this.#stream) || (this.deadline !== undefined && performance.now() >= this.deadline);
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === 'string' ? value : value?.join(', ');
  }
}

/**
 * Asks whether a call is taken, of which only the headers were read: no stream of grpc-js, no metadata and no signal are made
 * for one that is refused, and its body is never looked at. `proceed` is called with the ticket of one that is.
 */
export function admitStream(admission: Admission, method: ServedMethod, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, proceed: (ticket: Ticket) => void): void {
  if (hasEnded(stream)) return;
  // There is nothing to be done about one; 'close' follows.
  stream.once('error', ignore);
  const call = new HeadersCall(method, stream, headers);
  const { deadline } = call;
  let timer: NodeJS.Timeout | undefined;
  let pending = true;
  decide(admission, call, (decision, waited) => {
    pending = false;
    clearTimeout(timer);
    if ('refusal' in decision) refuse(stream, decision.refusal);
    else if (waited && call.gone) {
      decision.done({ code: deadline === undefined || performance.now() < deadline ? Status.CANCELLED : Status.DEADLINE_EXCEEDED, durationMs: 0 });
      refuse(stream, late);
    } else {
      // What it has waited is gone from its time.
      if (waited && deadline !== undefined) headers[TIMEOUT_HEADER] = `${Math.min(Math.max(Math.ceil(deadline - performance.now()), 1), MOST_TIMEOUT)}m`;
      proceed(decision);
    }
  });
  if (pending && deadline !== undefined) timer = setTimeout(() => refuse(stream, late), deadline - performance.now());
}
