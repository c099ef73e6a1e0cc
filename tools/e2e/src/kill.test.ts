import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ask, eventually, login, openAccount, ownEtcd, ownPostgres, startReceiver, usePlatform, type Receiver } from './harness.ts';

const platform = usePlatform();
let receiver: Receiver | undefined;
after(() => receiver?.close());

/** What people look for in `ps`, one pattern a process. */
const APPS = ['api-gateway', 'auth-service', 'account-service', 'transaction-service', 'webhook-api', 'webhook-service'].map((app) => `apps/${app}/src/main.ts`);
const ENGINES = [...(ownEtcd ? ['tools/etcd/'] : []), ...(ownPostgres ? ['postgres'] : [])];

/** How many transactions are acknowledged before, and after, each kill. */
const AROUND = 15;

test('kill -9 of each process in turn loses no acknowledged transaction and no event, and doubles no transaction', async (t) => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  receiver = await startReceiver();
  const registered = await ask(platform(), '/webhooks', { token, form: { account_id: account, url: receiver.url } });
  assert.equal(registered.status, 200);

  const acknowledged = new Map<string, string>();
  const stop = new AbortController();
  let sent = 0;
  /** Repeats each transaction, as a client would, until it is acknowledged. */
  const client = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const dedupeId = `order-${sent++}`;
      for (;;) {
        const json = { account_id: account, amount: -1, currency: 'GBP', description: 'Coffee', dedupe_id: dedupeId };
        const answer = await ask(platform(), '/transactions', { token, json }).catch(() => undefined);
        if (answer?.status === 200) {
          acknowledged.set(dedupeId, answer.body.transaction.id);
          break;
        }
        // 401 would send customers away to log in again although nothing is wrong with their token.
        if (answer && answer.status !== 503 && answer.status !== 504) assert.fail(`${answer.status}: ${JSON.stringify(answer.body)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  const clients = Promise.all([client(), client(), client()]);
  const more = async (): Promise<void> => {
    const enough = acknowledged.size + AROUND;
    await Promise.race([clients, eventually(() => acknowledged.size >= enough, { limitMs: 120_000 })]);
  };
  try {
    for (const pattern of [...APPS, ...ENGINES]) {
      await t.test(pattern, async () => {
        await more();
        assert.ok((await platform().kill(pattern)) > 0, `no process ${pattern}`);
        await more();
      });
    }
  } finally {
    stop.abort();
    await clients;
  }

  const listed: { id: string; dedupe_id: string }[] = [];
  for (;;) {
    const since = listed.at(-1)?.id ?? '';
    const { body } = await ask(platform(), `/transactions?account_id=${account}&limit=100&since=${since}`, { token });
    if (body.transactions.length === 0) break;
    listed.push(...body.transactions);
  }
  const ids = listed.map(({ dedupe_id: id }) => id);
  assert.equal(new Set(ids).size, ids.length, 'a transaction was recorded twice');
  for (const [dedupeId, id] of acknowledged) assert.ok(listed.some((each) => each.dedupe_id === dedupeId && each.id === id), `${dedupeId} was lost`);

  const delivered = (): Set<string> => new Set(receiver?.received.map(({ body }) => JSON.parse(body).data.dedupe_id));
  // What a killed worker had taken is taken again within 30 s.
  await eventually(() => ids.every((id) => delivered().has(id)), { limitMs: 300_000 });
});
