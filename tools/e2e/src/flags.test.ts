// A flag and an experiment, from the command line to what customers and their webhooks see.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { messaging, type Envelope, type Messaging } from '@talaria/messaging';
import { findPlatform } from '@talaria/service';
import { postgres, type Postgres } from '@talaria/storage';
import { startRealPlatform } from '@talaria/testing';
import { decodeJwt } from 'jose';
import { ask, eventually, login, openAccount, startReceiver, type Platform, type Receiver } from './harness.ts';
import { ROOT, run } from './run.ts';

const NAMESPACE = `flags-${process.pid}`;
const FILES = 'apps/transaction-service/flags';
const PATIENTLY = { limitMs: 120_000 };

interface Customer {
  readonly id: string;
  readonly token: string;
  readonly account: string;
}

let platform: Platform;
let receiver: Receiver;
let events: Messaging;
let storage: Postgres<object>;
let customers: readonly Customer[];
const exposed: Envelope[] = [];

const talaria = (...args: string[]): Promise<string> => run('npx', ['talaria', ...args], { env: { TALARIA_STATE_DIR: platform.stateDir, TALARIA_NAMESPACE: NAMESPACE } });
const json = (value: unknown): string => JSON.stringify(value);

before(async () => {
  receiver = await startReceiver();
  platform = await startRealPlatform({ env: { TALARIA_NAMESPACE: NAMESPACE, LOG_LEVEL: 'info' } });
  customers = await Promise.all(
    ['dev', 'dev2'].map(async (client) => {
      const token = await login(platform, client);
      const account = await openAccount(platform, token);
      const { status, body } = await ask(platform, '/webhooks', { token, form: { account_id: account, url: receiver.url } });
      assert.equal(status, 200, json(body));
      return { id: decodeJwt(token).sub ?? '', token, account };
    }),
  );
  // Somebody who counts exposures, as an analytics service would.
  const host = { service: 'service.exposures', instance: 'inst_e2e', log: silentLogger, env: { DATABASE_URL: findPlatform({}, platform.stateDir).platform?.database_url } };
  storage = postgres<object>({});
  events = messaging({ storage });
  events.subscribe('experiment.exposed', async (event) => void exposed.push(event));
  await storage.start(host, AbortSignal.timeout(60_000));
  await events.start(host, AbortSignal.timeout(60_000));
});
after(async () => {
  await events?.stop();
  await storage?.stop();
  await platform?.stop();
  await receiver?.close();
});

let recorded = 0;
/** Records a transaction: what the answer of the call says of it, and what the webhook does. */
async function record({ token, account }: Customer): Promise<{ readonly answered: string; readonly delivered: string }> {
  const dedupe = `flags-${++recorded}`;
  const { status, body } = await ask(platform, '/transactions', { token, json: { account_id: account, amount: -520, currency: 'GBP', description: 'Coffee', dedupe_id: dedupe } });
  assert.equal(status, 200, json(body));
  const delivered = (): string | undefined => receiver.received.map((each) => JSON.parse(each.body) as { data: { id: string; description: string } }).find(({ data }) => data.id === body.transaction.id)?.data.description;
  await eventually(() => delivered() !== undefined, PATIENTLY);
  return { answered: body.transaction.description, delivered: delivered() ?? '' };
}
const listed = async ({ token, account }: Customer): Promise<string[]> =>
  (await ask(platform, `/transactions?account_id=${account}&limit=1`, { token })).body.transactions.map(({ description }: { description: string }) => description);

test('before anything is applied nobody sees an icon', async () => {
  for (const customer of customers) assert.deepEqual(await record(customer), { answered: 'Coffee', delivered: 'Coffee' });
});

test('customers see their variant, each time, in answers and in the webhooks of another service; and it is told once', async () => {
  // As the guide has it: in the run of this file the two are apart.
  const [one, two] = customers as [Customer, Customer];
  const file = `${FILES}/transaction-icons.experiment.json`;
  await talaria('flags', 'apply', `${FILES}/transactions.json`);
  await talaria('experiments', 'apply', 'transaction-icons', file, '--why', 'do icons help?');
  await eventually(async () => (await listed(two))[0] === '💳 Coffee', PATIENTLY);
  for (let time = 0; time < 3; time++) {
    assert.deepEqual(await record(one), { answered: 'Coffee', delivered: 'Coffee' });
    assert.deepEqual(await record(two), { answered: '💳 Coffee', delivered: '💳 Coffee' });
  }
  assert.deepEqual(await listed(two), ['💳 Coffee'], 'it is shown so, not stored so');
  const told = (): readonly (readonly [string, string])[] => exposed.map(({ data }) => data as { subject: string; variant: string }).map(({ subject, variant }) => [subject, variant] as const);
  await eventually(() => told().length >= 2, PATIENTLY);
  // Every service that shows it has told of it by the time that something else has come all the way.
  await record(one);
  assert.deepEqual(told().toSorted(), [[one.id, 'none'], [two.id, 'card']].toSorted());
  const { type, subject, data } = exposed.find((event) => event.subject === two.id) as Envelope;
  const { exposed: at, ...rest } = data as { exposed: string };
  assert.ok(!Number.isNaN(Date.parse(at)));
  assert.deepEqual({ type, subject, ...rest }, { type: 'experiment.exposed', subject: two.id, experiment: 'transaction-icons', variant: 'card', key: 'customer', run: (JSON.parse(await readFile(join(ROOT, file), 'utf8')) as { salt: string }).salt });
});

test('what is wrong is refused when it is written', async () => {
  await assert.rejects(talaria('experiments', 'share', 'transaction-icons', 'none=50%', 'gold=50%'), /its flag has no variant gold/);
  await assert.rejects(talaria('flags', 'remove', 'transactions'), /the experiment transaction-icons would decide nothing/);
});

test('a kill switch works at once, and whoever comes back sees the same as before', async () => {
  const [, two] = customers as [Customer, Customer];
  await talaria('flags', 'kill', 'transaction-icons', '--why', 'too loud');
  await eventually(async () => (await listed(two))[0] === 'Coffee', PATIENTLY);
  await talaria('flags', 'revive', 'transaction-icons');
  await eventually(async () => (await listed(two))[0] === '💳 Coffee', PATIENTLY);
  await talaria('experiments', 'stop', 'transaction-icons');
  await eventually(async () => (await listed(two))[0] === 'Coffee', PATIENTLY);
  assert.match(await talaria('flags', 'history'), /kill transaction-icons +too loud/);
});
