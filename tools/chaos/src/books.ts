import { sleep } from '@talaria/base';
import pg from 'pg';
import type { Client } from './client.ts';
import type { Flow } from './flow.ts';
import type { Recorded } from './verdict.ts';

/** Reads what the platform has, once all is well again. */
export interface Books {
  /** What still waits in outboxes, broker and deliveries, or was given up: `outbox of service.transaction: 3`. Rejects while PostgreSQL is away. */
  left(): Promise<readonly string[]>;
  stored(accounts: readonly string[]): Promise<readonly Recorded[]>;
  /** All pages. Rejects for an answer that is no list. */
  listed(accounts: readonly string[]): Promise<readonly Recorded[]>;
  /** All accounts, by id. */
  accounts(): Promise<ReadonlyMap<string, string>>;
}

interface Row {
  readonly id: string;
  readonly account_id: string;
  readonly amount: string | number;
  readonly currency: string;
  readonly description: string;
  readonly dedupe_id: string | null;
}

const toRecorded = (row: Row): Recorded => ({ id: row.id, accountId: row.account_id, amount: Number(row.amount), currency: row.currency, description: row.description, dedupeId: row.dedupe_id ?? '' });

/** What must be empty in the end: database, name, query. */
const QUEUES = [
  ['service_transaction', 'outbox of service.transaction', 'select count(*) from messaging_outbox'],
  ['service_webhook', 'outbox of service.webhook', 'select count(*) from messaging_outbox'],
  ['broker', 'events in the broker', `select count(*) from broker_deliveries where dead is null`],
  ['broker', 'events that were given up', `select count(*) from broker_deliveries where dead is not null`],
  ['service_webhook', 'deliveries', 'select count(*) from deliveries where dead is null'],
  ['service_webhook', 'deliveries that were given up', 'select count(*) from deliveries where dead is not null'],
] as const;

const PAGE = 100;
const READ_LIMIT_MS = 30_000;

/** Opens them: by SQL, and through the gateway. */
export function openBooks(flow: Flow, client: Client): Books {
  const query = async <R extends object>(database: string, text: string, values: readonly unknown[] = []): Promise<R[]> => {
    const url = new URL(flow.databaseUrl);
    url.pathname = `/${database}`;
    const connection = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5_000 });
    connection.on('error', () => {});
    await connection.connect();
    try {
      return (await connection.query<R>(text, [...values])).rows;
    } finally {
      await connection.end();
    }
  };
  /** Reads until it gets an answer: what was stopped last may still be on its way out. */
  const answered = async (kind: string, path: string): Promise<unknown> => {
    for (const until = performance.now() + READ_LIMIT_MS; ; await sleep(200)) {
      const { status, body } = await client.ask(kind, path);
      if (status === 200) return body;
      if (performance.now() > until) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    }
  };
  const pages = async <T extends { readonly id: string }>(kind: string, path: string, of: (body: unknown) => readonly T[]): Promise<readonly T[]> => {
    const all: T[] = [];
    for (;;) {
      const page = of(await answered(kind, `${path}limit=${PAGE}&since=${all.at(-1)?.id ?? ''}`));
      all.push(...page);
      if (page.length < PAGE) return all;
    }
  };
  return {
    async left() {
      const counts = await Promise.all(QUEUES.map(async ([database, name, text]) => [name, Number((await query<{ count: string }>(database, text))[0]?.count ?? 0)] as const));
      return counts.flatMap(([name, count]) => (count === 0 ? [] : [`${name}: ${count}`]));
    },
    stored: async (accounts) => (await query<Row>('service_transaction', 'select * from transactions where account_id = any($1)', [accounts])).map(toRecorded),
    async listed(accounts) {
      const lists = await Promise.all(accounts.map((id) => pages<Row>('check', `/transactions?account_id=${id}&`, (body) => (body as { transactions: Row[] }).transactions)));
      return lists.flat().map(toRecorded);
    },
    accounts: async () => new Map((await pages<{ id: string; description: string }>('check', '/accounts?', (body) => (body as { accounts: { id: string; description: string }[] }).accounts)).map(({ id, description }) => [id, description])),
  };
}
