import type { Ledger, Wanted } from './ledger.ts';

/** A transaction as the platform lists it. */
export interface Recorded {
  readonly id: string;
  readonly accountId: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly dedupeId: string;
}

/** One delivery that a receiver took. */
export interface Delivered {
  /** The webhook's account, by the URL that it came to. */
  readonly accountId: string;
  /** The header `webhook-id`. */
  readonly eventId: string;
  readonly body: string;
  readonly signed: boolean;
}

/** What was found when all was quiet again. */
export interface Found {
  /** What the API lists for each account with a webhook. */
  readonly listed: readonly Recorded[];
  /** What stands in the database for them. */
  readonly stored: readonly Recorded[];
  /** The accounts that the API lists, by id, with their descriptions. */
  readonly accounts: ReadonlyMap<string, string>;
  readonly delivered: readonly Delivered[];
  /** What still waits in outbox, broker and deliveries, or was given up: `outbox: 3`. */
  readonly left: readonly string[];
}

const MOST_SHOWN = 20;
const sum = (of: readonly { readonly amount: number }[]): number => of.reduce((total, { amount }) => total + amount, 0);
const fields = ({ accountId, amount, currency, description, dedupeId }: Recorded | Wanted): string => JSON.stringify([accountId, amount, currency, description, dedupeId]);

/** Everything that is wrong with the money, a line each; empty: all is well. */
export function judge(ledger: Ledger, found: Found): readonly string[] {
  const wrong: string[] = [...ledger.contradictions, ...found.left.map((what) => `something is left: ${what}`)];
  judgeRecords(ledger, found, wrong);
  judgeAccounts(ledger, found, wrong);
  judgeDeliveries(found, wrong);
  return wrong.length > MOST_SHOWN ? [...wrong.slice(0, MOST_SHOWN), `and ${wrong.length - MOST_SHOWN} more`] : wrong;
}

function judgeRecords({ transactions }: Ledger, { listed, stored }: Found, wrong: string[]): void {
  const byDescription = Map.groupBy(stored, ({ description }) => description);
  for (const wanted of transactions.values()) {
    const records = byDescription.get(wanted.description) ?? [];
    if (records.length > 1) wrong.push(`${wanted.description} was recorded ${records.length} times: ${records.map(({ id }) => id).join(', ')}`);
    if (wanted.id !== undefined && !records.some(({ id }) => id === wanted.id)) wrong.push(`${wanted.description} was acknowledged as ${wanted.id} and is lost`);
    for (const record of records) if (fields(record) !== fields(wanted)) wrong.push(`${record.id} is ${fields(record)} and was asked for as ${fields(wanted)}`);
    // Repeated until somebody said yes: at the end nothing may be open.
    if (wanted.dedupeId !== '' && wanted.id === undefined) wrong.push(`${wanted.description} was never acknowledged, although it was repeated when all was well again`);
  }
  for (const { id, description } of stored) if (!transactions.has(description)) wrong.push(`${id} ("${description}") was invented`);

  const ids = (of: readonly Recorded[]): string => of.map((each) => `${each.id} ${fields(each)}`).sort().join('\n');
  for (const accountId of new Set([...listed, ...stored].map((each) => each.accountId))) {
    const [shown, kept] = [listed.filter((each) => each.accountId === accountId), stored.filter((each) => each.accountId === accountId)];
    if (ids(shown) !== ids(kept)) wrong.push(`the API lists ${shown.length} transactions of ${accountId}, and ${kept.length} are stored, or they differ`);
    const balance = sum(shown);
    const expected = sum([...transactions.values()].filter((each) => each.accountId === accountId && (each.id !== undefined || byDescription.has(each.description))));
    if (balance !== expected) wrong.push(`the balance of ${accountId} is ${balance} and should be ${expected}`);
  }
}

function judgeAccounts(ledger: Ledger, { accounts }: Found, wrong: string[]): void {
  const counts = new Map<string, number>();
  for (const description of accounts.values()) counts.set(description, (counts.get(description) ?? 0) + 1);
  for (const [description, id] of ledger.accounts) {
    const count = counts.get(description) ?? 0;
    if (count > 1) wrong.push(`the account "${description}" was opened ${count} times by one request`);
    if (id !== undefined && accounts.get(id) !== description) wrong.push(`the account ${id} was acknowledged and is lost`);
  }
  for (const [id, description] of accounts) if (!ledger.accounts.has(description)) wrong.push(`the account ${id} ("${description}") was invented`);
}

function judgeDeliveries({ stored, delivered }: Found, wrong: string[]): void {
  const byId = new Map(stored.map((each) => [each.id, each]));
  const events = new Map<string, Set<string>>();
  const bodies = new Map<string, string>();
  for (const { accountId, eventId, body, signed } of delivered) {
    if (!signed) wrong.push(`the delivery of ${eventId} was not signed with the secret of its webhook`);
    if ((bodies.get(eventId) ?? body) !== body) wrong.push(`${eventId} was delivered with different contents`);
    bodies.set(eventId, body);
    const { type, data } = JSON.parse(body) as { type: string; data: Record<string, unknown> };
    const record = byId.get(String(data['id']));
    const told: Recorded = { id: String(data['id']), accountId: String(data['account_id']), amount: Number(data['amount']), currency: String(data['currency']), description: String(data['description']), dedupeId: String(data['dedupe_id']) };
    if (!record) wrong.push(`${eventId} tells of ${told.id}, which does not exist`);
    else if (type !== 'transaction.created' || fields(record) !== fields(told) || record.accountId !== accountId) wrong.push(`${eventId} tells of ${told.id} what is not so: ${body}`);
    events.set(told.id, (events.get(told.id) ?? new Set()).add(eventId));
  }
  for (const { id } of stored) {
    const count = events.get(id)?.size ?? 0;
    if (count === 0) wrong.push(`nobody was told of ${id}`);
    if (count > 1) wrong.push(`${count} events tell of ${id}`);
  }
}
