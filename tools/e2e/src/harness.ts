import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo } from 'node:net';
import { after, before } from 'node:test';
import { eventually, startRealPlatform } from '@talaria/testing';

/** What `serve` runs, on free ports and in a state directory of its own. */
export type Platform = Awaited<ReturnType<typeof startRealPlatform>>;

/** Starts a platform for the tests of one file, with names of its own in an etcd that others use too. */
export function usePlatform(app = 'webhook-api', env: Record<string, string> = {}): () => Platform {
  let platform: Platform | undefined;
  before(async () => {
    platform = await startRealPlatform({ app, env: { TALARIA_NAMESPACE: `e2e-${process.pid}`, LOG_LEVEL: 'info', ...env } });
  });
  after(() => platform?.stop());
  return () => {
    if (!platform) throw new Error('the platform did not start');
    return platform;
  };
}

/** Whether serve runs engines of its own: with ETCD_ENDPOINTS or DATABASE_URL it uses those. */
export const ownEtcd = !process.env['ETCD_ENDPOINTS'];
export const ownPostgres = !process.env['DATABASE_URL'];

/** An answer of the gateway. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON whose shape the tests assert
  readonly body: any;
}

/** How a request is made. */
export interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly form?: Record<string, string>;
  readonly json?: unknown;
  readonly raw?: { readonly type: string; readonly body: string | Buffer };
  readonly timeoutMs?: number;
}

/** Asks the gateway. */
export async function ask(platform: Platform, path: string, { method, token, form, json, raw, timeoutMs = 30_000 }: Ask = {}): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  let body: string | Buffer | URLSearchParams | undefined;
  if (form) body = new URLSearchParams(form);
  if (json !== undefined) {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(json);
  }
  if (raw) {
    headers['content-type'] = raw.type;
    body = raw.body;
  }
  const answer = await fetch(platform.gateway + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { body: body as string }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** A token of a dev client. */
export async function login(platform: Platform, client = 'dev'): Promise<string> {
  const answer = await ask(platform, '/oauth2/token', { form: { grant_type: 'client_credentials', client_id: client, client_secret: `${client}-secret` } });
  if (answer.status !== 200) throw new Error(`no token: ${JSON.stringify(answer.body)}`);
  return answer.body.access_token;
}

/** Opens an account. */
export async function openAccount(platform: Platform, token: string): Promise<string> {
  const answer = await ask(platform, '/accounts', { token, form: { description: 'Peter Pan' } });
  if (answer.status !== 200) throw new Error(`no account: ${JSON.stringify(answer.body)}`);
  return answer.body.account.id;
}

/** One webhook as a receiver got it. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server that keeps what it receives. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What it answers from now on; undefined: nothing, ever. */
  status: number | undefined;
  close(): Promise<void>;
}

export async function startReceiver(status: number | undefined = 200): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (receiver.status !== undefined) response.writeHead(receiver.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://localhost:${(server.address() as AddressInfo).port}/hooks`,
    received,
    status,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

export { eventually };
