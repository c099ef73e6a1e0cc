import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { type Message } from '@bufbuild/protobuf';
import { mutableSetting, silentLogger } from '@talaria/base';
import { timeRemaining } from '@talaria/context';
import { rememberingLog, startLibrary } from '../testing/library.ts';
import { admission } from './limits.ts';

const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { code: string }).code;
const post = (body: string): RequestInit => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } });
/** As long as any condition may take on a machine under load. */
const LIMIT = { timeout: 60_000 };

describe('limits of a gateway that change while it runs', LIMIT, () => {
  it('the deadlines of calls, and those of streams, from the next request on', async () => {
    const [deadlineMs, streamDeadlineMs] = [mutableSetting(60_000), mutableSetting(3_600_000)];
    const library = await startLibrary({ deadlineMs, streamDeadlineMs });
    let left = 0;
    library.answer('look', (request) => ((left = timeRemaining() ?? Infinity), request));
    library.answer('watch', async function* (request: Message) {
      left = timeRemaining() ?? Infinity;
      yield request;
    });
    const leftFor = async (path: string): Promise<number> => {
      const response = await library.fetch(path);
      assert.equal(response.status, 200, await response.text());
      return left;
    };
    const within = (ms: number, least: number, most: number): void => assert.ok(ms > least && ms <= most, `${ms} is not within ${least} and ${most}`);
    within(await leftFor('/everything'), 20_000, 60_000);
    within(await leftFor('/watch'), 1_800_000, 3_600_000);
    deadlineMs.set(1_800_000);
    streamDeadlineMs.set(900_000);
    within(await leftFor('/everything'), 60_000, 1_800_000);
    within(await leftFor('/watch'), 60_000, 900_000);

    library.answer('look', (_request, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('late')))));
    deadlineMs.set(50);
    assert.deepEqual(await library.fetch('/everything').then(async (response) => [response.status, await codeOf(response)]), [504, 'timeout.deadline']);
    await library.close();
  });

  it('the size of bodies', async () => {
    const maxBodyBytes = mutableSetting(20);
    const library = await startLibrary({ maxBodyBytes });
    const body = '{"id": "four and twenty"}';
    assert.deepEqual(await library.fetch('/everything', post(body)).then(async (response) => [response.status, await codeOf(response)]), [413, 'bad_request.too_large']);
    maxBodyBytes.set(body.length);
    assert.equal((await library.fetch('/everything', post(body))).status, 200);
    maxBodyBytes.set(body.length - 1);
    assert.equal((await library.fetch('/everything', post(body))).status, 413);
    await library.close();
  });

  it('how many requests may be under way: one more is 503 with Retry-After, and probes are answered all the same', async () => {
    const maxInFlight = mutableSetting(1);
    const library = await startLibrary({ maxInFlight });
    const [arrived, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let calls = 0;
    library.answer('look', async (request) => {
      calls++;
      arrived.resolve();
      await go.promise;
      return request;
    });
    const first = library.fetch('/everything');
    await arrived.promise;
    const second = await library.fetch('/everything');
    assert.deepEqual([second.status, second.headers.get('retry-after'), await codeOf(second)], [503, '1', 'unavailable.busy']);
    assert.equal((await library.fetch('/healthz')).status, 200);
    assert.equal((await library.fetch('/nothing')).status, 404);
    assert.equal(calls, 1);
    assert.deepEqual(library.log.lines.filter((line) => line.includes('refused')).length, 1);

    maxInFlight.set(2);
    const third = library.fetch('/everything');
    while (calls < 2) await new Promise(setImmediate);
    go.resolve();
    assert.deepEqual([(await first).status, (await third).status], [200, 200]);
    await library.close();
  });

  it('how long the headers of a request may take, on connections that are open too', async () => {
    const [headersMs, requestMs] = [mutableSetting(600_000), mutableSetting(600_000)];
    const library = await startLibrary({ timeouts: { headersMs, requestMs } });
    const slow = async (): Promise<Socket> => {
      const socket = connect(library.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /everything HTTP/1.1\r\n');
      return socket;
    };
    const [one, body] = [await slow(), connect(library.port, '127.0.0.1')];
    headersMs.set(50);
    assert.match(await text(one), /^HTTP\/1\.1 408 /);
    headersMs.set(600_000);
    body.write('POST /everything HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{');
    requestMs.set(50);
    assert.match(await text(body), /^HTTP\/1\.1 408 /);
    await library.close();
  });

  it('how long a connection stays open between two requests', async () => {
    const keepAliveMs = mutableSetting(600_000);
    const library = await startLibrary({ timeouts: { keepAliveMs } });
    keepAliveMs.set(50);
    const socket = connect(library.port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(await text(socket), /^HTTP\/1\.1 200 OK\r\n/);
    await library.close();
  });
});

it('a gateway that is full says so once in a while, with how many it has refused', () => {
  const log = rememberingLog();
  let now = 0;
  const full = admission(mutableSetting(0), log, { monotonic: () => now });
  const refuse = (): void => assert.throws(() => full(undefined as never), { code: 'unavailable.busy', retryAfterMs: 1_000 });
  for (let n = 0; n < 100; n++) refuse();
  assert.equal(log.lines.length, 1);
  now = 60_000;
  refuse();
  assert.equal(log.lines.length, 2);
});

it('room is there again when an answer is over, and not before', () => {
  const admit = admission(mutableSetting(1), silentLogger);
  const listeners: (() => void)[] = [];
  const answered = { on: (_event: string, listener: () => void) => listeners.push(listener) };
  admit(answered as never);
  assert.throws(() => admit(answered as never));
  listeners[0]?.();
  admit(answered as never);
  assert.equal(listeners.length, 2);
});
