import { type IncomingMessage, type ServerResponse } from 'node:http';
import { badRequest } from '@talaria/errors';
import { HttpError, tooLarge, unsupportedMediaType } from './http-error.ts';

/** What a client may still send after its answer; a reset instead of reading it could cost the client that answer. */
const MAX_DISCARDED = 16 * 1024 * 1024;

/** Reads and drops what a request still sends, so that the client gets to read its answer; gives up when it is too much. */
export function discardBody(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return;
  let length = 0;
  req.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_DISCARDED) req.destroy();
  });
  req.on('error', () => {});
  req.resume();
}

/** The whole body. Throws 413 beyond `limit`, at once when the client announces it. */
export function readBody(req: IncomingMessage, res: ServerResponse, options: { readonly limit: number; readonly continueFirst: boolean }): Promise<Buffer> {
  const { limit } = options;
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw new HttpError(badRequest('unsupported_encoding', 'Bodies are taken without Content-Encoding.'), 415, { 'accept-encoding': 'identity' });
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  if (options.continueFirst) res.writeContinue();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) reject(tooLarge(limit));
      else chunks.push(chunk);
    });
    req.on('end', () => resolve(Buffer.concat(chunks)));
    req.on('error', reject);
    req.on('close', () => reject(badRequest('incomplete_body', 'The client hung up before the body was complete.')));
  });
}

/** The type of a body. Throws 415 for one that is not taken; undefined when the request names none. */
export function contentTypeOf(req: IncomingMessage, bodyLength: number): 'json' | 'form' | undefined {
  const header = req.headers['content-type'];
  if (header === undefined || header.trim() === '') {
    if (bodyLength > 0) throw unsupportedMediaType('The body needs a Content-Type: application/json or application/x-www-form-urlencoded.');
    return undefined;
  }
  const [type = '', ...parameters] = header.toLowerCase().split(';').map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length).replaceAll('"', '');
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset)) throw unsupportedMediaType('Bodies are taken in UTF-8.');
  if (type === 'application/json') return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  throw unsupportedMediaType('Bodies are application/json or application/x-www-form-urlencoded.');
}
