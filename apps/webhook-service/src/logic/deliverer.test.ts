import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpAnswer } from '@talaria/http';
import { currentCall, runInCall, silentLogger } from '@talaria/service';
import { type Delivery } from '../storage/index.ts';
import { deliverer, type DelivererParts } from './deliverer.ts';

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
  await deliverer({ storage, http: { request }, log: silentLogger })(stop.signal);
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
  await runInCall({ signal: stop.signal, requestId: 'of the worker' }, () => deliverer({ storage, http: { request }, log: silentLogger })(stop.signal));
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
