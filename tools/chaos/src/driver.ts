import { sleep } from '@talaria/base';
import type { Client } from './client.ts';
import type { Ledger, Wanted } from './ledger.ts';
import type { Random } from './random.ts';

/** What makes the load. */
export interface DriverOptions {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Accounts that have a webhook: what happens on them is told. */
  readonly accounts: readonly string[];
  /** How many clients work at the same time. */
  readonly clients: number;
}

/** Load that goes on until it is stopped. */
export interface Driver {
  /** Ends it; resolves when each request has had its answer. */
  stop(): Promise<void>;
  /** Repeats what has a dedupe_id and was not acknowledged, until it is or `limitMs` is over. */
  settle(limitMs: number): Promise<void>;
}

const PAUSE_MS = 40;
const REPEAT_MS = 100;

/** Asks for a transaction once; notes what was said. */
async function record({ client, ledger }: DriverOptions, wanted: Wanted): Promise<boolean> {
  const json = { account_id: wanted.accountId, amount: wanted.amount, currency: wanted.currency, description: wanted.description, dedupe_id: wanted.dedupeId };
  const { status, body } = await client.ask(wanted.dedupeId === '' ? 'record once' : 'record', '/transactions', { json });
  if (status !== 200) return false;
  ledger.acknowledge(wanted, (body as { transaction: { id: string } }).transaction.id);
  return true;
}

/** Begins the load: mostly transactions, which a client repeats until they are acknowledged; some that it may not repeat; new accounts; reads. */
export function startDriver(options: DriverOptions): Driver {
  const { client, ledger, random, accounts, clients } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let count = 0;

  const once = async (): Promise<void> => {
    const number = ++count;
    const accountId = random.pick(accounts);
    const what = random.next();
    const wanted = { accountId, amount: random.between(-5_000, 5_000), currency: 'GBP' };
    if (what < 0.65) {
      const transaction = ledger.want({ ...wanted, description: `repeated ${number}`, dedupeId: `order-${number}` });
      // As a client does whose answer did not come. Also sometimes one that has its answer: the same again.
      while (!signal.aborted && !(await record(options, transaction))) await sleep(REPEAT_MS, { signal }).catch(() => {});
      if (!signal.aborted && random.next() < 0.1) await record(options, transaction);
    } else if (what < 0.75) {
      await record(options, ledger.want({ ...wanted, description: `once ${number}`, dedupeId: '' }));
    } else if (what < 0.85) {
      const description = `account ${number}`;
      ledger.wantAccount(description);
      const { status, body } = await client.ask('open account', '/accounts', { form: { description } });
      if (status === 200) ledger.acknowledgeAccount(description, (body as { account: { id: string } }).account.id);
    } else {
      await client.ask('list', `/transactions?account_id=${accountId}&limit=5`);
    }
  };
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await once();
      await sleep(PAUSE_MS, { signal }).catch(() => {});
    }
  };
  const running = Promise.all(Array.from({ length: clients }, loop));
  return {
    async stop() {
      stopping.abort();
      await running;
    },
    async settle(limitMs) {
      const until = performance.now() + limitMs;
      for (const wanted of ledger.transactions.values()) {
        while (wanted.dedupeId !== '' && wanted.id === undefined && performance.now() < until) if (!(await record(options, wanted))) await sleep(REPEAT_MS);
      }
    },
  };
}
