import { sleep } from '@talaria/base';
import { openBooks, type Books } from './books.ts';
import { createClient, type Client, type Sample } from './client.ts';
import { startDriver } from './driver.ts';
import { startFlow, type Flow } from './flow.ts';
import { createInjector } from './injector.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { describeFault, planFaults, type Fault } from './plan.ts';
import { seededRandom } from './random.ts';
import { startReceiver, type Receiver } from './receiver.ts';
import { judge } from './verdict.ts';

/** How much chaos. */
export interface ChaosOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Told what happens, as it happens. */
  readonly say: (line: string) => void;
  /** How many clients at a time. Default 6. */
  readonly clients?: number;
  /** Which faults. Default: those of the seed. */
  readonly faults?: ReturnType<typeof planFaults>;
}

/** A fault as it came. */
export interface ThrownFault {
  readonly atMs: number;
  readonly fault: Fault;
  readonly outcome: string;
}

/** What came of it. */
export interface ChaosResult {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly ThrownFault[];
  readonly samples: readonly Sample[];
  /** When the faults began and ended, in ms of `performance.now()`. */
  readonly from: number;
  readonly to: number;
  readonly acknowledged: number;
  readonly delivered: number;
  /** How long it took after the last fault until nothing was on its way any more, in ms. */
  readonly quietMs: number;
  /** What is wrong with the money; empty: nothing. */
  readonly wrong: readonly string[];
}

const ACCOUNTS = 4;
const CLIENTS = 6;
/** Longer than anything takes that was interrupted: a broker's hold of 20 s, an election, a backoff. */
const QUIET_LIMIT_MS = 180_000;
const SETTLE_LIMIT_MS = 60_000;

async function openAccounts(client: Client, ledger: Ledger, receiver: Receiver): Promise<readonly string[]> {
  const accounts: string[] = [];
  for (let index = 0; index < ACCOUNTS; index++) {
    const description = `with a webhook ${index}`;
    ledger.wantAccount(description);
    const opened = await client.ask('set up', '/accounts', { form: { description } });
    const { id } = (opened.body as { account?: { id: string } }).account ?? {};
    if (id === undefined) throw new Error(`No account could be opened: ${opened.status} ${JSON.stringify(opened.body)}`);
    ledger.acknowledgeAccount(description, id);
    const made = await client.ask('set up', '/webhooks', { form: { account_id: id, url: receiver.urlFor(id) } });
    if (made.status !== 200) throw new Error(`No webhook could be made: ${made.status} ${JSON.stringify(made.body)}`);
    receiver.expect(id, (made.body as { webhook: { secret: string } }).webhook.secret);
    accounts.push(id);
  }
  return accounts;
}

/** Resolves when every process is there, the gateway is ready and nothing waits anywhere; or with what is left when the limit is over. */
async function untilQuiet(flow: Flow, client: Client, books: Books): Promise<readonly string[]> {
  const until = performance.now() + QUIET_LIMIT_MS;
  for (;;) {
    let left: readonly string[];
    try {
      left = await books.left();
    } catch (error) {
      left = [`the databases cannot be read: ${(error as Error).message}`];
    }
    const missing = flow.names.filter((name) => flow.pidOf(name) === undefined);
    const { status } = await client.ask('check', '/readyz');
    if (left.length === 0 && missing.length === 0 && status === 200) return [];
    if (performance.now() > until) return [...left, ...missing.map((name) => `${name} is not there`), ...(status === 200 ? [] : [`the gateway is not ready: ${status}`])];
    await sleep(250);
  }
}

/** Runs the flow under load and faults, heals it, and judges what is left. Rejects if it cannot even start. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seconds, seed, say, clients = CLIENTS, faults: planned = planFaults(seed, seconds) } = options;
  say(`Starting the webhook flow (seed ${seed}).`);
  const flow = await startFlow();
  const receiver = await startReceiver();
  const injector = createInjector(flow, receiver);
  try {
    const client = createClient(flow.platform.gateway);
    const ledger = createLedger();
    const books = openBooks(flow, client);
    await client.login();
    const accounts = await openAccounts(client, ledger, receiver);
    const driver = startDriver({ client, ledger, random: seededRandom(seed + 1), accounts, clients });

    const from = performance.now();
    const thrown: ThrownFault[] = [];
    const running: Promise<void>[] = [];
    for (const { atMs, fault } of planned) {
      await sleep(Math.max(0, from + atMs - performance.now()));
      const at = Math.round(performance.now() - from);
      say(`${(at / 1_000).toFixed(1).padStart(6)} s  ${describeFault(fault)}`);
      running.push(injector.inject(fault).then((outcome) => void thrown.push({ atMs: at, fault, outcome })));
    }
    await sleep(Math.max(0, from + seconds * 1_000 - performance.now()));
    const to = performance.now();
    say('Healing.');
    await injector.heal();
    await Promise.all(running);
    await driver.stop();
    await driver.settle(SETTLE_LIMIT_MS);
    const left = await untilQuiet(flow, client, books);
    const quietMs = Math.round(performance.now() - to);
    say(`Quiet after ${(quietMs / 1_000).toFixed(1)} s. Checking.`);
    const [listed, stored, opened] = await Promise.all([books.listed(accounts), books.stored(accounts), books.accounts()]);
    const wrong = judge(ledger, { listed, stored, accounts: opened, delivered: receiver.delivered, left });
    const acknowledged = [...ledger.transactions.values()].filter(({ id }) => id !== undefined).length;
    thrown.sort((one, other) => one.atMs - other.atMs);
    return { seed, seconds, faults: thrown, samples: client.samples, from, to, acknowledged, delivered: receiver.delivered.length, quietMs, wrong };
  } catch (error) {
    say(flow.platform.output());
    throw error;
  } finally {
    injector.close();
    await receiver.close();
    await flow.platform.stop();
  }
}
