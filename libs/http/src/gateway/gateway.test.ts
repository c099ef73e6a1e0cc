import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { type Message } from '@bufbuild/protobuf';
import { currentCall } from '@talaria/context';
import { notFound, rateLimited, unauthorized, badRequest, unavailable } from '@talaria/errors';
import { everythingFrom, startLibrary, type Library } from '../testing/library.ts';

interface Answer {
  readonly code: string;
  readonly status: number;
  readonly violations?: { readonly field: string }[];
}
const problem = async (response: Response): Promise<Answer> => {
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const body = (await response.json()) as Answer;
  assert.equal(body.status, response.status);
  return body;
};
const json = (body: string, method = 'POST'): RequestInit => ({ method, body, headers: { 'content-type': 'application/json' } });

/** What a server says to raw bytes. */
async function raw(port: number, bytes: string | Buffer, end = false): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  if (end) socket.end();
  return text(socket).catch(() => '');
}

describe('a gateway', () => {
  let library: Library;
  before(async () => {
    library = await startLibrary({ timeouts: { headersMs: 300, requestMs: 600, keepAliveMs: 5000 } });
  });
  after(() => library.close());

  it('turns JSON into a call and its answer into JSON', async () => {
    const response = await library.fetch('/everything', json('{"id": "a", "amount": -520}'));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.match(response.headers.get('x-request-id') ?? '', /^req_/);
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(body['id'], 'a');
    assert.equal(body['amount'], -520);
  });

  it('takes forms, queries and paths', async () => {
    const form = await library.fetch('/everything', { method: 'POST', body: new URLSearchParams({ id: 'Peter Pan', small: '3' }) });
    assert.equal(((await form.json()) as { id: string }).id, 'Peter Pan');
    const query = await library.fetch('/shelves/7/everything?small=3');
    assert.equal(((await query.json()) as { small: number }).small, 3);
    const shelf = await library.fetch('/shelves/7', json('{"theme": "x"}', 'PUT'));
    assert.deepEqual(await shelf.json(), { id: '7', theme: 'x', size: 0, colour: 'COLOUR_UNSPECIFIED', names: [] });
  });

  it('knows which paths there are, and which methods they have', async () => {
    assert.deepEqual([(await problem(await library.fetch('/nothing'))).code, (await problem(await library.fetch('/unruled'))).code], ['not_found.route', 'not_found.route']);
    const wrong = await library.fetch('/everything', { method: 'DELETE' });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS, POST, REPORT');
    assert.equal((await problem(wrong)).code, 'bad_request.method_not_allowed');
    const asked = await library.fetch('/everything', { method: 'OPTIONS' });
    assert.deepEqual([asked.status, asked.headers.get('allow')], [204, 'GET, HEAD, OPTIONS, POST, REPORT']);
    const head = await library.fetch('/everything?small=1', { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text(), Number(head.headers.get('content-length')) > 0], [200, '', true]);
    assert.equal((await raw(library.port, 'GET http://other/everything?small=x HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n')).slice(0, 12), 'HTTP/1.1 400');
  });

  it('follows the contracts', async () => {
    const known = library.contracts.get();
    library.contracts.set([]);
    const gone = await library.fetch('/everything');
    assert.deepEqual([gone.status, gone.headers.get('retry-after'), (await problem(gone)).code], [503, '1', 'unavailable.contract']);
    assert.equal((await library.fetch('/nothing')).status, 404);
    library.contracts.set([...known, { ...known[0]!, contract: 'broken.v1.Broken', descriptorSet: Buffer.from('garbage') }]);
    assert.equal((await library.fetch('/everything')).status, 200);
    assert.ok(library.log.lines.some((line) => line.includes('cannot be read')));
  });

  it('refuses bodies with the status that says why', async () => {
    const cases: [RequestInit, number, string][] = [
      [json('{'), 400, 'bad_request.invalid_json'],
      [json(''), 400, 'bad_request.missing_body'],
      [{ method: 'POST' }, 400, 'bad_request.missing_body'],
      [json('{"nope": 1}'), 400, 'bad_request.unknown_param'],
      [json('{"amount": 9007199254740993}'), 400, 'bad_request.invalid_param'],
      [{ method: 'POST', body: 'x' }, 415, 'bad_request.unsupported_media_type'],
      [{ method: 'POST', body: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } }, 415, 'bad_request.unsupported_media_type'],
      [{ method: 'POST', body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }, 415, 'bad_request.unsupported_encoding'],
      [json(`{"id": "${'x'.repeat(1024 * 1024)}"}`), 413, 'bad_request.too_large'],
      [{ ...json('{}'), body: new Blob(['x'.repeat(3 * 1024 * 1024)]).stream(), duplex: 'half' }, 413, 'bad_request.too_large'],
    ];
    for (const [init, status, code] of cases) {
      const response = await library.fetch('/everything', init);
      assert.equal(response.status, status, code);
      assert.equal((await problem(response)).code, code);
    }
    const exact = `{"id": "${'x'.repeat(1024 * 1024 - 10)}"}`;
    assert.equal(exact.length, 1024 * 1024);
    assert.equal((await library.fetch('/everything', json(exact))).status, 200);
  });

  it('does not let a client send what it is going to refuse', async () => {
    const sending = request(`${library.url}/everything`, { method: 'POST', headers: { expect: '100-continue', 'content-type': 'application/json', 'content-length': 5_000_000 } });
    sending.on('continue', () => assert.fail('it was told to go on'));
    sending.flushHeaders();
    const [response] = (await once(sending, 'response')) as [{ statusCode: number }];
    assert.equal(response.statusCode, 413);
    sending.destroy();
    const small = request(`${library.url}/everything`, { method: 'POST', headers: { expect: '100-continue', 'content-type': 'application/json', 'content-length': 2 } });
    small.flushHeaders();
    await once(small, 'continue');
    small.end('{}');
    const [taken] = (await once(small, 'response')) as [{ statusCode: number; resume(): void }];
    taken.resume();
    assert.equal(taken.statusCode, 200);
  });

  it('answers errors of services with their code, and hides what is ours', async () => {
    library.answer('look', () => Promise.reject(notFound('thing', 'There is no such thing.', { params: { id: '1' } })));
    const missing = await problem(await library.fetch('/everything'));
    assert.deepEqual([missing.status, missing.code], [404, 'not_found.thing']);
    library.answer('look', () => Promise.reject(new Error('a secret')));
    const ours = await library.fetch('/everything');
    assert.equal(ours.status, 500);
    assert.doesNotMatch(await ours.text(), /secret/);
    library.answer('look', () => Promise.reject(rateLimited('calls', 'Too many.', { retryAfterMs: 1500 })));
    assert.equal((await library.fetch('/everything')).headers.get('retry-after'), '2');
    library.answer('look', () => everythingFrom({ amount: '9007199254740993' }));
    assert.equal((await library.fetch('/everything')).status, 500);
    library.answer('look', (request) => request);
  });

  it('wants a token where the contract does, and only there', async () => {
    const bare = await library.fetch('/mine');
    assert.equal(bare.headers.get('www-authenticate'), 'Bearer realm="talaria"');
    assert.deepEqual([bare.status, (await problem(bare)).code], [401, 'unauthorized.missing_token']);
    for (const authorization of ['Bearer bad', 'Basic Z29vZA==', 'Bearer a b', `Bearer ${'x'.repeat(9000)}`]) {
      const response = await library.fetch('/mine', { headers: { authorization } });
      assert.deepEqual([response.status, (await problem(response)).code], [401, 'unauthorized.invalid_token']);
      assert.match(response.headers.get('www-authenticate') ?? '', /invalid_token/);
    }
    assert.equal((await library.fetch('/mine', { headers: { authorization: 'bearer good' } })).status, 200);
    assert.equal((await library.fetch('/everything', { headers: { authorization: 'Bearer bad' } })).status, 200);
  });

  it('says which fallbacks were used for an answer', async () => {
    const used = 'account.v1.AccountService/GetAccount;kind=stale';
    library.answer('look', (request, context) => {
      context.trailer.set('x-talaria-fallback', used);
      return request;
    });
    assert.equal((await library.fetch('/everything')).headers.get('talaria-fallback'), used);
    library.answer('look', (request) => request);
    assert.equal((await library.fetch('/everything')).headers.get('talaria-fallback'), null);
  });

  it('hands no header on, and gives the call a deadline', async () => {
    let seen: { keys: string[]; left: number } | undefined;
    library.answer('look', (request, context) => {
      seen = { keys: [...context.metadata].map(([key]) => key), left: (currentCall().deadline ?? Infinity) - performance.now() };
      return request;
    });
    await library.fetch('/everything', { headers: { 'x-talaria-passport': 'forged', 'x-talaria-caller': 'forged', cookie: 'a=b', 'x-other': '1' } });
    assert.ok(seen && seen.left > 0 && seen.left <= 10_000);
    assert.deepEqual(seen.keys.filter((key) => /talaria|cookie|other|authorization/.test(key)), []);
    library.answer('look', (request) => request);
  });

  it('takes a harmless request id and makes one otherwise', async () => {
    assert.equal((await library.fetch('/everything', { headers: { 'x-request-id': 'mine-1' } })).headers.get('x-request-id'), 'mine-1');
    assert.match((await library.fetch('/everything', { headers: { 'x-request-id': 'a b"c' } })).headers.get('x-request-id') ?? '', /^req_/);
  });

  it('ends the call when the client hangs up', async () => {
    const arrived = Promise.withResolvers<AbortSignal>();
    library.answer('look', (_request, context) => {
      arrived.resolve(context.signal);
      return new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    const hangUp = new AbortController();
    const hanging = library.fetch('/everything', { signal: hangUp.signal });
    const signal = await arrived.promise;
    hangUp.abort();
    await assert.rejects(hanging);
    if (!signal.aborted) await once(signal, 'abort');
    library.answer('look', (request) => request);
  });

  it('answers OAuth clients after RFC 6749', async () => {
    const token = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
      library.fetch('/oauth2/library', { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });
    const fine = await token('id=1&unknown=2');
    assert.deepEqual([fine.status, fine.headers.get('cache-control'), fine.headers.get('pragma')], [200, 'no-store', 'no-cache']);
    const expected: [Promise<Response>, number, string][] = [
      [token('small=x'), 400, 'invalid_request'],
      [token('id=1&id=2'), 400, 'invalid_request'],
      [library.fetch('/oauth2/library', json('{}')), 400, 'invalid_request'],
      [library.fetch('/oauth2/library', { method: 'GET' }), 405, 'invalid_request'],
      [token('', { authorization: 'Bearer x' }), 401, 'invalid_client'],
    ];
    for (const [answered, status, error] of expected) {
      const response = await answered;
      assert.equal(response.status, status);
      assert.equal(((await response.json()) as { error: string }).error, error);
      assert.equal(response.headers.get('www-authenticate'), status === 401 ? 'Basic realm="talaria", charset="UTF-8"' : null);
    }
    const errors: [Error, number, string][] = [
      [unauthorized('invalid_client', 'Unknown "client".'), 401, 'invalid_client'],
      [badRequest('unsupported_grant_type', 'No.'), 400, 'unsupported_grant_type'],
      [badRequest('invalid_scope', 'No.'), 400, 'invalid_scope'],
      [unavailable('database', 'No.'), 503, 'temporarily_unavailable'],
      [new Error('secret'), 500, 'server_error'],
    ];
    for (const [error, status, name] of errors) {
      library.answer('token', () => Promise.reject(error));
      const response = await token('id=1');
      const body = (await response.json()) as { error: string; error_description: string };
      assert.deepEqual([response.status, body.error], [status, name]);
      assert.doesNotMatch(body.error_description, /secret|"/);
    }
    library.answer('token', (request) => request);
  });

  it('streams one message a line, and cuts off what breaks', async () => {
    library.answer('watch', async function* () {
      for (let small = 1; small <= 3; small++) yield everythingFrom({ small });
    });
    const whole = await library.fetch('/watch');
    assert.equal(whole.headers.get('content-type'), 'application/x-ndjson');
    const lines = (await whole.text()).trim().split('\n');
    assert.deepEqual(lines.map((line) => (JSON.parse(line) as { small: number }).small), [1, 2, 3]);
    library.answer('watch', async function* () {
      yield everythingFrom({ small: 1 });
      throw unavailable('x', 'broken');
    });
    const broken = await library.fetch('/watch');
    assert.equal(broken.status, 200);
    await assert.rejects(broken.text());
    library.answer('watch', async function* (): AsyncGenerator<Message> {
      throw notFound('x', 'none');
    });
    assert.equal((await problem(await library.fetch('/watch'))).status, 404);
  });

  it('is pulled no faster than the client reads', async () => {
    let made = 0;
    const ended = Promise.withResolvers<void>();
    library.answer('watch', async function* (_request, context) {
      try {
        const filler = 'x'.repeat(100_000);
        for (; made < 5000 && !context.signal.aborted; made++) yield everythingFrom({ id: filler });
      } finally {
        ended.resolve();
      }
    });
    const sending = request(`${library.url}/watch`).end();
    const [response] = (await once(sending, 'response')) as [NodeJS.ReadableStream & { destroy(): void }];
    let before = -1;
    // Until nothing more is made: buffers are full, and far from 500 MB are in flight.
    while (made !== before) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert.ok(made < 2000, String(made));
    response.destroy();
    await ended.promise;
  });

  it('gives slow and broken clients up', async () => {
    assert.match(await raw(library.port, 'GET /everything HTTP/1.1\r\nHost: x\r\nX-'), /^HTTP\/1\.1 408/);
    assert.match(await raw(library.port, 'POST /everything HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{'), /408/);
    assert.match(await raw(library.port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400[\s\S]*malformed_request/);
    assert.match(await raw(library.port, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
  });

  it('says what of HTTP itself a request breaks', async () => {
    const cases: [string, number, string][] = [
      ['GET /everything HTTP/1.1\r\n\r\n', 400, 'bad_request.invalid_host'],
      ['GET /healthz HTTP/1.1\r\n\r\n', 400, 'bad_request.invalid_host'],
      ['GET /everything HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400, 'bad_request.invalid_host'],
      ['POST /everything HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nContent-Length: 2\r\n\r\n{}', 417, 'bad_request.unknown_expectation'],
      ['GET /mine HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer good\r\nAuthorization: Bearer bad\r\n\r\n', 400, 'bad_request.duplicate_header'],
    ];
    for (const [sent, status, code] of cases) {
      const answered = await raw(library.port, sent);
      assert.match(answered, new RegExp(`^HTTP/1\\.1 ${String(status)} `), sent);
      assert.match(answered, /\r\ncontent-type: application\/problem\+json\r\n/i);
      assert.equal((JSON.parse(answered.slice(answered.indexOf('\r\n\r\n'))) as Answer).code, code);
    }
    // HTTP/1.0 has no Host.
    assert.match(await raw(library.port, 'GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200/);
  });

  it('never answers garbage with a 5xx', async () => {
    const targets = ['/everything?%', '/everything?a=%ff', '/everything?small=1e999', '/%ff', '/v1/things/%/parts/x', '//', '/everything/%00:close', '/oauth2/', '/everything?__proto__=1', '/shelves/%ff'];
    for (const target of targets) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const init = ['POST', 'PUT', 'PATCH'].includes(method) ? { method, body: '\0{"a":', headers: { 'content-type': 'application/json' } } : { method };
        const { status } = await library.fetch(target, init);
        assert.ok(status < 500, `${method} ${target}: ${String(status)}`);
      }
    }
  });
});

describe('a gateway without instances, or without routes', () => {
  it('is 503, within the deadline', async () => {
    const library = await startLibrary({ serve: false, deadlineMs: 3000 });
    const answered = await problem(await library.fetch('/everything'));
    assert.deepEqual([answered.status, answered.code], [503, 'unavailable.no_instances']);
    await library.close();
  });

  it('is 503 until the contracts are known', async () => {
    const ready = Promise.withResolvers<void>();
    const contracts = { get: () => [], onChange: () => () => {}, ready: ready.promise };
    const library = await startLibrary({ contracts });
    assert.equal((await problem(await library.fetch('/everything'))).code, 'unavailable.routes');
    ready.resolve();
    await ready.promise;
    assert.equal((await library.fetch('/everything')).status, 404);
    await library.close();
  });

  it('is 504 when a service takes too long', async () => {
    const library = await startLibrary({ deadlineMs: 200 });
    library.answer('look', (_request, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('late')))));
    assert.equal((await problem(await library.fetch('/everything'))).code, 'timeout.deadline');
    await library.close();
  });
});

describe('readiness and draining', () => {
  it('is ready once all is there, and then speaks of the gateway alone', async () => {
    let all = false;
    const library = await startLibrary({ ready: () => (all ? true : Promise.reject(new Error('not yet'))) });
    assert.equal((await library.fetch('/healthz')).status, 200);
    assert.equal((await problem(await library.fetch('/readyz'))).code, 'unavailable.not_ready');
    all = true;
    assert.equal((await library.fetch('/readyz')).status, 200);
    all = false;
    assert.equal((await library.fetch('/readyz?x')).status, 200);
    assert.equal((await library.fetch('/readyz', { method: 'POST' })).status, 405);
    await library.close();
  });

  it('finishes what is in flight, tells clients to leave, and takes nothing new', async () => {
    const library = await startLibrary();
    const [arrived, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    library.answer('look', async (request) => {
      arrived.resolve();
      await go.promise;
      return request;
    });
    const inFlight = library.fetch('/everything');
    await arrived.promise;
    const drained = library.gateway.drain(20_000);
    await assert.rejects(library.fetch('/healthz'));
    go.resolve();
    const answered = await inFlight;
    assert.deepEqual([answered.status, answered.headers.get('connection')], [200, 'close']);
    await drained;
    assert.ok(!library.log.lines.some((line) => line.includes('cut off')));
    await library.close();
  });

  it('cuts off what takes longer than the limit', async () => {
    const library = await startLibrary();
    const arrived = Promise.withResolvers<AbortSignal>();
    library.answer('look', (_request, { signal }) => (arrived.resolve(signal), new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut'))))));
    const inFlight = library.fetch('/everything');
    await arrived.promise;
    const outcome = assert.rejects(inFlight);
    await library.gateway.drain(50);
    await outcome;
    await library.close();
  });

  it('says what to do about a port that is taken, and answers on both loopbacks', async () => {
    const library = await startLibrary({ host: 'localhost' });
    const both = await Promise.all(['127.0.0.1', '[::1]'].map((host) => fetch(`http://${host}:${String(library.port)}/healthz`).then(({ status }) => status, () => 'absent')));
    assert.equal(both[0], 200);
    assert.ok(both[1] === 200 || process.env['CI'] !== 'true');
    await assert.rejects(startLibrary({ port: library.port }), /^Error: Port \d+ is taken: set PORT to a free one/);
    await library.close();
  });
});
