import { type IncomingMessage, type ServerResponse } from 'node:http';
import { answer } from './answer.ts';

/** What caches go by. */
export interface Cacheable {
  readonly type: string;
  /** With its quotes. */
  readonly etag: string;
  readonly cacheControl: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Whether a client has this version already. Weak comparison, as RFC 9110, section 13.1.2, wants it. */
export function isFresh(req: IncomingMessage, etag: string): boolean {
  const given = req.headers['if-none-match'];
  if (given === undefined) return false;
  return given.trim() === '*' || given.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}

/** Answers a text, or 304 to a client that has it. */
export function answerCached(req: IncomingMessage, res: ServerResponse, { type, etag, cacheControl, headers = {} }: Cacheable, text: string): void {
  const common = { ...headers, etag, 'cache-control': cacheControl };
  if (!isFresh(req, etag)) return answer(res, 200, { 'content-type': type, ...common }, text);
  if (res.headersSent || res.destroyed) return;
  res.writeHead(304, common).end();
}
