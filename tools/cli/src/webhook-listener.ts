import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { CliError } from './cli-error.ts';

/** A webhook that arrived. */
export interface ReceivedWebhook {
  /** The header `webhook-id`, which is the same on every retry; undefined if there was none. */
  readonly id: string | undefined;
  /** `type` of the body, if it is JSON and says so. */
  readonly type: string | undefined;
  /** The JSON body, or its text if it is no JSON. */
  readonly body: unknown;
  /** `unchecked`: no secret was given. */
  readonly signature: 'verified' | 'invalid' | 'unchecked';
  /** Why it is invalid. */
  readonly reason: string | undefined;
}

/** How to listen. */
export interface WebhookListenerOptions {
  /** On 127.0.0.1 and ::1; 0 takes a free one. */
  readonly port: number;
  /** `whsec_…`; without one signatures are not checked. */
  readonly secret?: string | undefined;
  readonly onWebhook: (webhook: ReceivedWebhook) => void;
}

/** A listener for webhooks. */
export interface WebhookListener {
  readonly port: number;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** Takes webhooks (Standard Webhooks 1.0.0) on loopback: 200 for those that verify, 400 for those that do not. */
export async function listenForWebhooks(options: WebhookListenerOptions): Promise<WebhookListener> {
  const verifier = options.secret === undefined ? undefined : verifierFor(options.secret);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, verifier, options.onWebhook).catch(() => response.destroy());
  };
  const first = await bind(createServer(handle), options.port, '127.0.0.1');
  const port = (first.address() as AddressInfo).port;
  const servers = [first];
  try {
    servers.push(await bind(createServer(handle), port, '::1'));
  } catch (error) {
    // A machine without IPv6 has no ::1.
    if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      first.close();
      throw error;
    }
  }
  return {
    port,
    async close() {
      await Promise.all(
        servers.map((server) => {
          const closed = new Promise<void>((resolve) => server.close(() => resolve()));
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}

function verifierFor(secret: string): Webhook {
  try {
    if (!secret.startsWith('whsec_')) throw new Error('no prefix');
    return new Webhook(secret);
  } catch {
    throw new CliError(
      `The secret ${secret === '' ? 'is empty' : 'is not one of a webhook'}: give --secret the "secret" that POST /webhooks answered (whsec_ and base64), or leave --secret out to check no signatures.`,
      2,
    );
  }
}

function bind(server: Server, port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        reject(new CliError(`Port ${port} is taken by another program: stop that, or listen on another port, such as ${port < 65_535 ? port + 1 : 9000}, and register that one's URL.`));
      } else if (error.code === 'EACCES') reject(new CliError(`Port ${port} is not allowed for your user: choose one above 1023, such as 9000.`));
      else reject(error);
    });
    server.listen({ port, host }, () => resolve(server));
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, verifier: Webhook | undefined, onWebhook: (webhook: ReceivedWebhook) => void): Promise<void> {
  const reply = (status: number, text: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  };
  if (request.method === 'GET' || request.method === 'HEAD') return reply(200, 'talaria listen takes webhooks here, by POST.');
  if (request.method !== 'POST') return reply(405, 'Webhooks come by POST.');

  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return reply(413, 'More than 1 MiB.');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const header = (name: string): string => [request.headers[name]].flat()[0] ?? '';
  const body = parsed(text);
  const failure = verifier ? verificationFailure(verifier, text, header) : undefined;
  onWebhook({
    id: header('webhook-id') || undefined,
    type: typeof body === 'object' && body !== null && 'type' in body && typeof body.type === 'string' ? body.type : undefined,
    body,
    signature: verifier === undefined ? 'unchecked' : failure === undefined ? 'verified' : 'invalid',
    reason: failure,
  });
  if (failure === undefined) reply(200, 'Thank you.');
  else reply(400, `The signature does not verify: ${failure}.`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;

/** Why the signature does not verify; undefined if it does. */
function verificationFailure(verifier: Webhook, text: string, header: (name: string) => string): string | undefined {
  const missing = HEADERS.filter((name) => header(name) === '');
  if (missing.length > 0) return `the header ${missing.join(' and ')} is missing`;
  try {
    verifier.verify(text, Object.fromEntries(HEADERS.map((name) => [name, header(name)])), { jsonParse: false });
    return undefined;
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    if (/timestamp too/.test(error.message)) return 'its timestamp is more than five minutes away from now';
    if (/No matching/.test(error.message)) return 'it was made with another secret, or the body was changed on the way';
    return error.message;
  }
}
