import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpAnswer } from '@talaria/http';
import { currentCall, fixedSetting, mutableSetting, runInCall, silentLogger } from '@talaria/service';
import { type Delivery } from '../storage/index.ts';
import { deliverer, type DelivererParts, type DeliveryLimits } from './deliverer.ts';
import { DELAYS_MS } from './schedule.ts';

const limits: DeliveryLimits = { delays: fixedSetting(DELAYS_MS), attemptTimeout: fixedSetting(15_000), holdMargin: fixedSetting(10_000), concurrency: fixedSetting(128), concurrencyPerWebhook: fixedSetting(8) };

const delivery = (id: bigint, changes: Partial<Delivery> = {}): Delivery => ({
  id,
  webhookId: `webhook_${id}`,
  eventId: `evt_${id}`,
  url: `http://example.com/${id}`,
  secret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0',
  body: '{}',
  attempt: 1,
  ...changes,
});

/** Runs the worker over some deliveries until each has an outcome; answers the outcomes by id. */
async function outcomes(deliveries: Delivery[], request: DelivererParts['http']['request']): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  const stop = new AbortController();
  const note = (key: string, outcome: unknown): void => {
    found.set(key, outcome);
    if (found.size === deliveries.length) stop.abort();
  };
  const waiting = [...deliveries];
  const storage: DelivererParts['storage'] = {
    claim: async ({ most }) => waiting.splice(0, most),
    succeed: async ({ id }) => note(String(id), 'done'),
    fail: async ({ id }, error, retryInMs) => note(String(id), { error, again: retryInMs !== undefined }),
    disable: async (webhookId) => note(webhookId.replace('webhook_', ''), 'disabled'),
  };
  await deliverer({ storage, http: { request }, limits, log: silentLogger })(stop.signal);
  return found;
}

const answer = (status: number, headers: Record<string, string> = {}): HttpAnswer => ({ status, headers, body: new Uint8Array(), truncated: false });

test('only 2xx is a success; 3xx and the rest come again; 410 disables; the last attempt is the last', async () => {
  const statuses: Record<string, number> = { 1: 200, 2: 204, 3: 302, 4: 500, 5: 410, 6: 500 };
  const all = [1n, 2n, 3n, 4n, 5n].map((id) => delivery(id)).concat(delivery(6n, { attempt: 10 }));
  const found = await outcomes(all, async ({ url }) => answer(statuses[url.split('/').at(-1) ?? ''] ?? 0));
  assert.deepEqual(Object.fromEntries(found), {
    1: 'done',
    2: 'done',
    3: { error: 'answered 302', again: true },
    4: { error: 'answered 500', again: true },
    5: 'disabled',
    6: { error: 'answered 500', again: false },
  });
});

test('a receiver that does not answer holds up nobody else', async () => {
  const gate = Promise.withResolvers<HttpAnswer>();
  const found = await outcomes([delivery(1n), delivery(2n)], async ({ url }) => {
    if (url.endsWith('/1')) return gate.promise;
    gate.resolve(answer(200));
    return answer(200);
  });
  assert.deepEqual([...found.keys()], ['2', '1']);
});

test('an attempt that was begun is ended well when the worker stops, and its call with it', async () => {
  const stop = new AbortController();
  const calls: { readonly aborted: boolean | undefined; readonly request: string | undefined }[] = [];
  let noted = '';
  const storage: DelivererParts['storage'] = {
    claim: async () => (stop.signal.aborted || calls.length > 0 ? [] : [delivery(1n)]),
    succeed: async () => void (noted = `done, called off: ${currentCall().signal?.aborted ?? false}`),
    fail: async (_delivery, error) => void (noted = error),
    disable: async () => {},
  };
  const request = async (): Promise<HttpAnswer> => {
    stop.abort();
    await new Promise(setImmediate);
    const { signal, requestId } = currentCall();
    calls.push({ aborted: signal?.aborted, request: requestId?.slice(0, 4) });
    return answer(200);
  };
  // As the service runs a worker: in a call that ends at the stop.
  await runInCall({ signal: stop.signal, requestId: 'of the worker' }, () => deliverer({ storage, http: { request }, limits, log: silentLogger })(stop.signal));
  assert.deepEqual([noted, calls], ['done, called off: false', [{ aborted: undefined, request: 'req_' }]]);
});

test('each attempt is signed', async () => {
  let sent: Record<string, string> | undefined;
  await outcomes([delivery(1n)], async ({ headers }) => {
    sent = headers;
    return answer(200);
  });
  assert.equal(sent?.['webhook-id'], 'evt_1');
  assert.match(sent?.['webhook-signature'] ?? '', /^v1,/);
});

test('each limit holds from the next claim and the next failure on', async () => {
  const changing = { delays: mutableSetting<readonly number[]>([1_000, 2_000]), attemptTimeout: mutableSetting(500), holdMargin: mutableSetting(100), concurrency: mutableSetting(3), concurrencyPerWebhook: mutableSetting(2) };
  const claims: unknown[] = [];
  const [timeouts, retries]: [unknown[], unknown[]] = [[], []];
  const waiting = [delivery(1n, { attempt: 2 }), delivery(2n, { attempt: 2 })];
  const stop = new AbortController();
  const storage: DelivererParts['storage'] = {
    claim: async (claimed) => {
      claims.push(claimed);
      if (retries.length > 1) stop.abort();
      // The second one when the first has had its attempt.
      const isNext = waiting.length > 0 && retries.length + waiting.length === 2;
      return isNext ? waiting.splice(0, 1) : [];
    },
    succeed: async () => {},
    fail: async (_delivery, _error, retryInMs) => {
      retries.push(retryInMs === undefined ? 'dead' : 'again');
      if (retries.length > 1) return;
      changing.delays.set([1_000]);
      changing.attemptTimeout.set(900);
      changing.holdMargin.set(50);
      changing.concurrency.set(7);
      changing.concurrencyPerWebhook.set(5);
    },
    disable: async () => {},
  };
  const request: DelivererParts['http']['request'] = async ({ timeoutMs }) => {
    timeouts.push(timeoutMs);
    // Between the claim and the end of its attempt: what was claimed keeps what it was claimed with.
    changing.attemptTimeout.set(timeouts.length === 1 ? 700 : 900);
    return answer(500);
  };
  await deliverer({ storage, http: { request }, limits: changing, log: silentLogger })(stop.signal);
  assert.deepEqual([timeouts, retries], [[500, 900], ['again', 'dead']]);
  assert.deepEqual(claims[0], { most: 3, mostForEachWebhook: 2, holdMs: 600 });
  assert.deepEqual(claims.at(-1), { most: 7, mostForEachWebhook: 5, holdMs: 950 });
});

test('fewer attempts at a time than run now claims nothing until enough have ended', async () => {
  const concurrency = mutableSetting(2);
  const stop = new AbortController();
  const gates = [Promise.withResolvers<HttpAnswer>(), Promise.withResolvers<HttpAnswer>()];
  const mosts: number[] = [];
  let ended = 0;
  const storage: DelivererParts['storage'] = {
    claim: async ({ most }) => {
      mosts.push(most);
      if (mosts.length > 1) stop.abort();
      return mosts.length === 1 ? [delivery(0n), delivery(1n)] : [];
    },
    succeed: async () => {
      if (++ended === 1) setImmediate(() => gates[1]?.resolve(answer(200)));
    },
    fail: async () => {},
    disable: async () => {},
  };
  const request: DelivererParts['http']['request'] = ({ url }) => {
    if (url.endsWith('/1')) {
      concurrency.set(1);
      gates[0]?.resolve(answer(200));
    }
    return gates[Number(url.at(-1))]?.promise ?? assert.fail();
  };
  await deliverer({ storage, http: { request }, limits: { ...limits, concurrency }, log: silentLogger })(stop.signal);
  assert.deepEqual([mosts, ended], [[2, 1], 2]);
});
