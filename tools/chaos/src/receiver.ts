import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Delivered } from './verdict.ts';

/** Takes webhooks, one path an account. */
export interface Receiver {
  urlFor(accountId: string): string;
  /** With which secret the deliveries of an account are signed, from now on. */
  expect(accountId: string, secret: string): void;
  /** Everything that it answered with 200. */
  readonly delivered: readonly Delivered[];
  /** How it behaves: as it should, with 500, or with no answer. */
  mood: 'well' | 'fails' | 'hangs';
  close(): Promise<void>;
}

function isSigned(request: IncomingMessage, body: string, secret: string | undefined): boolean {
  if (secret === undefined) return false;
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
  const mac = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64')).update(`${String(id)}.${String(timestamp)}.${body}`).digest('base64');
  const [given, wanted] = [Buffer.from(String(signature)), Buffer.from(`v1,${mac}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Starts it on a free port of loopback. */
export async function startReceiver(): Promise<Receiver> {
  const delivered: Delivered[] = [];
  const secrets = new Map<string, string>();
  const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    if (receiver.mood === 'hangs') return;
    if (receiver.mood === 'fails') return void response.writeHead(500).end();
    const accountId = (request.url ?? '').split('/').at(-1) ?? '';
    delivered.push({ accountId, eventId: String(request.headers['webhook-id']), body, signed: isSigned(request, body, secrets.get(accountId)) });
    response.writeHead(200).end();
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    urlFor: (accountId) => `http://localhost:${port}/hooks/${accountId}`,
    expect: (accountId, secret) => void secrets.set(accountId, secret),
    delivered,
    mood: 'well',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}
