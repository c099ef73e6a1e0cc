import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { after, describe, it } from 'node:test';
import { context, propagation, trace, type Attributes, type Span } from '@opentelemetry/api';
import { createLogger, type Clock } from '@talaria/base';
import { currentCall, runInCall } from '@talaria/context';
import { httpClient, type HttpClient, type HttpClientOptions } from './client.ts';

const open: { close(): unknown }[] = [];
after(async () => {
  for (const one of open.reverse()) await one.close();
});

async function listen(handler: RequestListener, host = '127.0.0.1', port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer(handler);
  server.listen({ host, port, ipv6Only: host === '::1' });
  await once(server, 'listening');
  open.push({ close: () => (server.closeAllConnections(), server.close()) });
  return { server, port: (server.address() as AddressInfo).port };
}

function client(options: HttpClientOptions = {}): HttpClient {
  const made = httpClient({ allowLoopback: true, ...options });
  open.push(made);
  return made;
}

const resolvesTo = (...addresses: string[]) => () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
const hasIpv6 = await listen(() => {}, '::1').then(() => true, () => false);
if (!hasIpv6 && process.env['CI'] === 'true') throw new Error('this machine has no ::1');
const ipv6 = { skip: hasIpv6 ? false : 'this machine has no ::1' };

describe('an HTTP client', () => {
  it('sends a body and headers, and reads the answer', async () => {
    const { port } = await listen((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += String(chunk))).on('end', () => res.writeHead(201, { 'x-seen': `${req.method ?? ''} ${req.headers['x-mine'] as string} ${req.headers.host ?? ''}` }).end(body));
    });
    const answer = await client().request({ url: `http://localhost:${String(port)}/hooks?a=b`, body: '{"a":1}', headers: { 'x-mine': 'yes' } });
    assert.deepEqual([answer.status, Buffer.from(answer.body).toString(), answer.truncated], [201, '{"a":1}', false]);
    assert.equal(answer.headers['x-seen'], `POST yes localhost:${String(port)}`);
  });

  it('reaches localhost where only 127.0.0.1 listens', async () => {
    const { port } = await listen((_req, res) => res.end('four'));
    const answer = await client({ lookup: resolvesTo('::1', '127.0.0.1') }).request({ url: `http://localhost:${String(port)}/` });
    assert.equal(Buffer.from(answer.body).toString(), 'four');
  });

  it('reaches localhost where only ::1 listens', ipv6, async () => {
    const { port } = await listen((_req, res) => res.end('six'), '::1');
    const answer = await client({ lookup: resolvesTo('127.0.0.1', '::1') }).request({ url: `http://localhost:${String(port)}/` });
    assert.equal(Buffer.from(answer.body).toString(), 'six');
  });

  it('follows no redirect, and takes any status for an answer', async () => {
    let calls = 0;
    const { port } = await listen((_req, res) => (calls++, res.writeHead(302, { location: '/elsewhere' }).end()));
    assert.equal((await client().request({ url: `http://127.0.0.1:${String(port)}/` })).status, 302);
    assert.equal(calls, 1);
  });

  it('checks each connect, whatever the registration said', async () => {
    const reached: string[] = [];
    const { port } = await listen((req, res) => (reached.push(req.url ?? ''), res.end()));
    let address = '8.8.8.8';
    const rebinding = client({ allowLoopback: false, lookup: () => resolvesTo(address)() });
    await rebinding.checkUrl(`http://rebinding.example:${String(port)}/`);
    address = '127.0.0.1';
    for (const url of [`http://rebinding.example:${String(port)}/`, `http://127.0.0.1:${String(port)}/`, `http://[::ffff:127.0.0.1]:${String(port)}/`, `http://localhost:${String(port)}/`]) {
      await assert.rejects(rebinding.request({ url }), { code: 'bad_request.invalid_param' }, url);
    }
    assert.deepEqual(reached, []);
  });

  it('tries only the allowed ones of several addresses', async () => {
    const { port } = await listen((_req, res) => res.end('here'));
    const mixed = client({ lookup: resolvesTo('10.255.255.1', '169.254.169.254', '127.0.0.1') });
    assert.equal((await mixed.request({ url: `http://mixed.example:${String(port)}/` })).status, 200);
  });

  it('gives up in time: while resolving, connecting, waiting and reading', async () => {
    const silent = createNetServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    open.push(silent);
    const { port } = await listen((_req, res) => void res.write('x'));
    const [waiting, reading] = [(silent.address() as AddressInfo).port, port];
    const quick = client({ timeoutMs: 200 });
    for (const at of [waiting, reading]) await assert.rejects(quick.request({ url: `http://127.0.0.1:${String(at)}/` }), { code: 'timeout.http' });
    await assert.rejects(client({ timeoutMs: 200, lookup: () => new Promise(() => {}) }).request({ url: 'http://slow.example/' }), { code: 'timeout.http' });
    const started = runInCall({ deadline: performance.now() + 200 }, () => client().request({ url: `http://127.0.0.1:${String(waiting)}/` }));
    await assert.rejects(started, { code: 'timeout.http' });
  });

  it('is called off by its signal and by the ambient one', async () => {
    const { port, server } = await listen(() => {});
    const url = `http://127.0.0.1:${String(port)}/`;
    for (const call of [(signal: AbortSignal) => client().request({ url, signal }), (signal: AbortSignal) => runInCall({ signal }, () => client().request({ url }))]) {
      const hangUp = new AbortController();
      const arrived = once(server, 'request');
      const outcome = assert.rejects(call(hangUp.signal), { code: 'cancelled.http' });
      await arrived;
      hangUp.abort();
      await outcome;
    }
  });

  it('says that it could not reach a host', async () => {
    const { port, server } = await listen(() => {});
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(client().request({ url: `http://127.0.0.1:${String(port)}/` }), { code: 'unavailable.http' });
    await assert.rejects(client({ lookup: () => Promise.reject(new Error('ENOTFOUND')) }).request({ url: 'http://absent.example/' }), { code: 'unavailable.http' });
  });

  it('reads no more than it is allowed to', async () => {
    const { port } = await listen((_req, res) => res.end(Buffer.alloc(1_000_000, 'x')));
    const answer = await client({ maxResponseBytes: 1000 }).request({ url: `http://127.0.0.1:${String(port)}/` });
    assert.deepEqual([answer.body.length, answer.truncated], [1000, true]);
  });

  it('names the host to TLS, and not the address that it connects to', async () => {
    const named = Promise.withResolvers<string>();
    const server = createTlsServer({ SNICallback: (name, done) => (named.resolve(name), done(new Error('no certificate'))) }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(server);
    const { port } = server.address() as AddressInfo;
    await assert.rejects(client({ lookup: resolvesTo('127.0.0.1') }).request({ url: `https://some.example:${String(port)}/` }), { code: 'unavailable.http' });
    assert.equal(await named.promise, 'some.example');
    await assert.rejects(client().request({ url: `https://127.0.0.1:${String(port)}/` }), { code: 'unavailable.http' });
  });

  it('keeps one call waiting for nothing of another', async () => {
    const { port } = await listen((req, res) => (req.url === '/dead' ? undefined : res.end('ok')));
    const one = client({ timeoutMs: 60_000 });
    const dead = Array.from({ length: 20 }, () => one.request({ url: `http://127.0.0.1:${String(port)}/dead`, timeoutMs: 1000 }).catch(() => 'dead'));
    assert.equal((await one.request({ url: `http://127.0.0.1:${String(port)}/alive` })).status, 200);
    await Promise.all(dead);
  });

  it('opens sockets outside of the call that needs them', async () => {
    let inside: unknown;
    const { port } = await listen((_req, res) => res.end());
    const one = client({ lookup: () => ((inside = currentCall().requestId), resolvesTo('127.0.0.1')()) });
    await runInCall({ requestId: 'req_1' }, () => one.request({ url: `http://some.example:${String(port)}/` }));
    assert.equal(inside, undefined);
  });

  it('sends nothing when its time is over before it begins', async () => {
    let calls = 0;
    const { port } = await listen((_req, res) => (calls++, res.end()));
    const url = `http://127.0.0.1:${String(port)}/`;
    const one = client();
    await assert.rejects(runInCall({ deadline: performance.now() - 1 }, () => one.request({ url })), { code: 'timeout.http' });
    await assert.rejects(one.request({ url, timeoutMs: 0 }), { code: 'timeout.http' });
    await assert.rejects(one.request({ url, signal: AbortSignal.abort() }), { code: 'cancelled.http' });
    await one.close();
    await assert.rejects(one.request({ url }), { code: 'unavailable.http' });
    assert.equal(calls, 0);
  });

  it('measures its time by the clock of the call', async () => {
    const { port, server } = await listen(() => {});
    const timers: (() => void)[] = [];
    const clock: Clock = { now: () => 0, monotonic: () => 0, after: (_ms, callback) => (timers.push(callback), () => {}) };
    const arrived = once(server, 'request');
    const outcome = assert.rejects(runInCall({ clock, deadline: 5_000 }, () => client().request({ url: `http://127.0.0.1:${String(port)}/` })), { code: 'timeout.http', message: /within 5000 ms/ });
    await arrived;
    for (const fire of timers) fire();
    await outcome;
  });

  it('says a header once, however it is written, and refuses what is no HTTP', async () => {
    const { port } = await listen((req, res) => res.end(JSON.stringify(req.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()))));
    const url = `http://127.0.0.1:${String(port)}/`;
    const { body } = await client().request({ url, headers: { 'User-Agent': 'mine' } });
    assert.equal((JSON.parse(Buffer.from(body).toString()) as string[]).filter((name) => name === 'user-agent').length, 1);
    await assert.rejects(client().request({ url, headers: { 'x-split': 'a\r\nx-injected: b' } }), { code: 'bad_request.invalid_param' });
    await assert.rejects(client().request({ url, method: 'NO METHOD' }), { code: 'bad_request.invalid_param' });
  });

  it('logs each request as a call: host, status and duration, and never what may be secret', async () => {
    const { port, server } = await listen((req, res) => res.writeHead(req.url?.startsWith('/broken') ? 503 : 200).end());
    const lines: Record<string, unknown>[] = [];
    const log = createLogger({ level: 'debug', format: 'json', destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) } });
    const one = client();
    // As a service does with its capabilities.
    await one.start({ service: 'service.x', instance: 'inst_1', log, env: {} }, new AbortController().signal);
    const host = `127.0.0.1:${String(port)}`;
    await one.request({ url: `http://${host}/hooks/s3cret?token=s3cret`, body: 's3cret' });
    await one.request({ url: `http://${host}/broken` });
    await new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
    await assert.rejects(one.request({ url: `http://${host}/s3cret` }));
    assert.deepEqual(
      lines.map(({ level, msg, method, host: named, status, code, duration_ms: duration }) => [level, msg, method, named, status ?? code, typeof duration]),
      [
        ['debug', 'http request', 'POST', host, 200, 'number'],
        ['info', 'http request', 'GET', host, 503, 'number'],
        ['info', 'http request', 'GET', host, 'unavailable.http', 'number'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(lines), /s3cret|hooks/);
    await one.stop();
  });

  it('makes a CLIENT span after the conventions, without the path', async () => {
    const spans: { name: string; attributes: Attributes; status: unknown; ended: boolean }[] = [];
    const startSpan = (name: string, { attributes = {} }: { attributes?: Attributes } = {}): Span => {
      const noted = { name, attributes: { ...attributes }, status: undefined as unknown, ended: false };
      spans.push(noted);
      const span = {
        setAttribute: (key: string, value: string) => ((noted.attributes[key] = value), span),
        setStatus: (status: unknown) => ((noted.status = status), span),
        end: () => (noted.ended = true),
      };
      return span as never;
    };
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan: () => assert.fail() }) });
    const { port } = await listen((req, res) => res.writeHead(req.method === 'PURGE' ? 404 : 200).end());
    const url = `http://127.0.0.1:${String(port)}/s3cret`;
    await client().request({ url });
    await client().request({ url, method: 'PURGE' });
    await assert.rejects(client({ allowLoopback: false }).request({ url: 'http://[::1]/s3cret' }));
    trace.disable();
    const server = { 'server.address': '127.0.0.1', 'server.port': port, 'url.scheme': 'http' };
    assert.deepEqual(
      spans.map(({ name, attributes, ended }) => [name, attributes, ended]),
      [
        ['GET', { 'http.request.method': 'GET', ...server, 'http.response.status_code': 200 }, true],
        ['HTTP', { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE', ...server, 'http.response.status_code': 404, 'error.type': '404' }, true],
        ['GET', { 'http.request.method': 'GET', 'server.address': '::1', 'server.port': 80, 'url.scheme': 'http', 'error.type': 'bad_request.invalid_param' }, true],
      ],
    );
  });

  it('tells strangers nothing of the trace unless asked to', async () => {
    const seen: unknown[] = [];
    const { port } = await listen((req, res) => (seen.push([req.headers['x-trace'], req.headers['baggage']]), res.end()));
    propagation.setGlobalPropagator({
      inject: (active, carrier) => void Object.assign(carrier as object, { 'x-trace': 'yes', ...(propagation.getBaggage(active) ? { baggage: 'secret' } : {}) }),
      extract: (active) => active,
      fields: () => [],
    });
    const active = propagation.setBaggage(context.active(), propagation.createBaggage({ a: { value: 'b' } }));
    const url = `http://127.0.0.1:${String(port)}/`;
    await context.with(active, () => client().request({ url }));
    await context.with(active, () => client({ propagateTrace: true }).request({ url }));
    assert.deepEqual(seen, [[undefined, undefined], ['yes', undefined]]);
    propagation.disable();
  });
});

