// The same random requests to ours and to etcd; every answer must be the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WatchCreateRequest, type WatchEvent, type WatchResponse } from './messages.ts';
import { keyOf, rangeOf, inRange } from './store/record.ts';
import { comparable } from './testing/comparable.ts';
import { ours, real } from './testing/engines.ts';
import { KEYS, LEASES, randomRequests, seeded } from './testing/random-requests.ts';
import { rawClient, type RawClient } from './testing/raw-client.ts';
import { type ServiceName } from './protocol.ts';

const SEED = Number(process.env['ETCD_FUZZ_SEED'] ?? 20_261_121);
const STEPS = Number(process.env['ETCD_FUZZ_STEPS'] ?? 1500);

interface Heard {
  readonly created: WatchResponse[];
  readonly events: WatchEvent[];
  canceled?: WatchResponse;
}

/** Watches what `requests` ask for, until each watch was cancelled or has seen the revision that `last` gives for it. */
function watchAll(client: RawClient, requests: readonly WatchCreateRequest[]) {
  const stream = client.watch();
  const heard = requests.map((): Heard => ({ created: [], events: [] }));
  let changed = (): void => {};
  stream.on('error', () => {});
  stream.on('data', (response: WatchResponse) => {
    const one = heard[Number(response.watch_id ?? 0)];
    if (response.created) one?.created.push(response);
    if (response.canceled && one) one.canceled = response;
    one?.events.push(...(response.events ?? []));
    changed();
  });
  for (const request of requests) stream.write({ create_request: request });
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      changed = () => {
        if (condition()) resolve();
      };
      changed();
    });
  return {
    created: () => until(() => heard.every((one) => one.created.length > 0)),
    async finished(last: (request: WatchCreateRequest) => number): Promise<Heard[]> {
      await until(() => heard.every((one, index) => one.canceled || Number(one.events.at(-1)?.kv.mod_revision ?? 0) >= last(requests[index] as WatchCreateRequest)));
      stream.cancel();
      return heard;
    },
  };
}

test(`the same answers as etcd to ${STEPS} random requests (seed ${SEED})`, { skip: real.skip, timeout: 120_000 }, async (t) => {
  const [mine, theirs] = await Promise.all([ours.start(), real.start()]);
  const clients = [rawClient(mine.address), rawClient(theirs.address)] as const;
  t.after(async () => {
    for (const client of clients) client.close();
    await Promise.all([mine.stop(), theirs.stop()]);
  });
  const make = randomRequests(seeded(SEED));
  let revision = 1;
  let compacted = 0;
  let step = 0;

  async function same(service: ServiceName, method: string, request: object): Promise<Record<string, unknown>> {
    const [a, b] = await Promise.all(clients.map((client) => client.call(service, method, request)));
    assert.deepEqual(comparable(a), comparable(b), `step ${++step}: ${method} ${JSON.stringify(request, (_, v: unknown) => ((v as { type?: string })?.type === 'Buffer' ? Buffer.from(v as never).toString('latin1') : v))}`);
    const header = (a as { header?: { revision?: string } }).header;
    revision = Math.max(revision, Number(header?.revision ?? 0));
    return a as Record<string, unknown>;
  }

  async function randomStep(): Promise<void> {
    const kind = make.below(100);
    if (kind < 25) await same('KV', 'Put', make.put(true));
    else if (kind < 45) await same('KV', 'Range', make.range(revision));
    else if (kind < 55) await same('KV', 'DeleteRange', make.remove());
    else if (kind < 93) await same('KV', 'Txn', make.txn(revision));
    else if (kind < 95) await same('Lease', 'LeaseGrant', { ID: make.pick(LEASES.slice(0, 3)), TTL: '1000' });
    else if (kind < 96) await same('Lease', 'LeaseRevoke', { ID: make.pick(LEASES) });
    else if (kind < 98) await same('Lease', 'LeaseTimeToLive', { ID: make.pick(LEASES), keys: true });
    else await same('Lease', 'LeaseLeases', {});
  }

  for (let n = 0; n < STEPS; n++) {
    await randomStep();
    if (!make.chance(0.02)) continue;
    const at = Math.max(0, revision - make.below(30) + 1);
    const answer = await same('KV', 'Compact', { revision: String(at), physical: true });
    if (!answer['error']) compacted = at;
  }

  // No compaction while the watches run: which of its previous values etcd still finds is a race there.
  const requests = Array.from({ length: 40 }, () => make.watch(make.chance(0.3) ? compacted : revision));
  const watching = clients.map((client) => watchAll(client, requests));
  await Promise.all(watching.map(({ created }) => created()));
  for (let n = 0; n < 150; n++) await randomStep();
  await same('KV', 'Txn', { success: KEYS.map((key) => ({ request_put: { key, value: Buffer.from('last') } })) });
  const lastPut = revision;
  await same('KV', 'DeleteRange', { key: Buffer.from([0]), range_end: Buffer.from([0]) });
  const [a = [], b = []] = await Promise.all(watching.map(({ finished }) => finished((request) => (request.filters?.includes(1) ? lastPut : lastPut + 1))));
  for (const [index, request] of requests.entries()) {
    assert.deepEqual(comparable(a[index]), comparable(b[index]), `watch ${JSON.stringify(request)}`);
    const events = a[index]?.events ?? [];
    assert.ok(a[index]?.canceled || events.every(({ kv }) => inRange(rangeOf(request, true), keyOf(kv.key))));
  }
  assert.ok(a.some(({ canceled }) => canceled), 'no watch met a compaction');
});
