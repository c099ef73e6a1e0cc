import { type ServerResponse } from 'node:http';
import { toProblem } from '@talaria/errors';
import { type HttpError } from './http-error.ts';

/** On every answer: what is private stays out of caches, and no browser guesses a type. */
const COMMON = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** Sends a whole answer, unless one has begun or the client is gone. */
export function answer(res: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: string): void {
  if (res.headersSent || res.destroyed) return;
  const bytes = Buffer.from(body);
  res.writeHead(status, { ...COMMON, ...(status === 204 ? {} : { 'content-length': String(bytes.length) }), ...headers });
  res.end(bytes); // Node drops the body for HEAD and 204.
}

/** Sends JSON text. */
export function answerJson(res: ServerResponse, json: string, headers: Readonly<Record<string, string>> = {}): void {
  answer(res, 200, { 'content-type': 'application/json', ...headers }, json);
}

const TITLES: Record<number, string> = { 405: 'Method Not Allowed', 408: 'Request Timeout', 413: 'Content Too Large', 415: 'Unsupported Media Type', 417: 'Expectation Failed', 431: 'Request Header Fields Too Large', 503: 'Service Unavailable' };

/** The RFC 9457 document of an error, as text. */
export function problemText({ error, status }: HttpError, traceId: string | undefined): string {
  const problem = toProblem(error, traceId);
  return JSON.stringify({ ...problem, status, title: TITLES[status] ?? problem.title });
}

/** Sends an RFC 9457 document. */
export function answerProblem(res: ServerResponse, error: HttpError, traceId: string | undefined): void {
  answer(res, error.status, { 'content-type': 'application/problem+json', ...error.headers }, problemText(error, traceId));
}

/** Begins an answer of newline-delimited JSON. */
export function beginLines(res: ServerResponse): void {
  res.writeHead(200, { ...COMMON, 'content-type': 'application/x-ndjson' });
}
