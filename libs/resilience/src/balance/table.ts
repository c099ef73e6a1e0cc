import type { Candidate } from '@talaria/rpc';
import { aliasOf, type Alias } from './alias.ts';
import { choose } from './choose.ts';
import type { Instance } from './instance.ts';
import { BEST, rankOf } from './rank.ts';
import { assignShares } from './shares.ts';
import { orderFor, subsetOf, type Order } from './subset.ts';
import { localShare } from './zone.ts';

/** What is prepared for the picks among one list of candidates. */
export interface Table {
  readonly candidates: readonly Candidate[];
  readonly all: readonly Instance[];
  /** Where there are more than this client talks to. */
  readonly order: Order | undefined;
  /** Those that this client talks to, those that are out included. */
  pool: readonly Instance[];
  /** Those that get the calls now. */
  members: readonly Instance[];
  alias: Alias;
  /** Of the members. */
  rank: number;
  /** Those that get a call now and then, to see how they do. */
  probing: readonly Instance[];
  /** As of when this is; see `refresh`. */
  version: number;
  staleAt: number;
}

/** What tables are made by. */
export interface TableOptions {
  readonly zone: string | undefined;
  readonly clientId: string;
  readonly subsetSize: number;
  readonly slowStartMs: number;
}

/** One that has to be refreshed before it is used. */
export function newTable(candidates: readonly Candidate[], all: readonly Instance[], { clientId, zone, subsetSize }: TableOptions): Table {
  const order = all.length > subsetSize ? orderFor(all, clientId, zone) : undefined;
  return { candidates, all, order, pool: order ? [] : all, members: [], alias: { draw: () => 0 }, rank: BEST, probing: [], version: -1, staleAt: 0 };
}

/** Who is in the pool now. */
export function refreshPool(table: Table, { zone, subsetSize }: TableOptions): void {
  if (table.order) table.pool = subsetOf(table.order, subsetSize, localShare(table.all, zone) ?? 0);
}

/** Who gets calls now, and how many. */
export function refreshMembers(table: Table, now: number, { zone, slowStartMs }: TableOptions): void {
  const ranks = table.pool.map(rankOf);
  table.rank = Math.min(...ranks);
  const best = table.pool.filter((_, index) => ranks[index] === table.rank);
  table.members = assignShares(best, { now, slowStartMs, zone, local: localShare(table.all, zone) });
  table.alias = aliasOf(table.members.map(({ share }) => share));
  const isProbing = ({ phase, candidate: { endpoint, connection } }: Instance): boolean => phase === 'probing' && connection.state === 'ready' && endpoint.ready !== false && endpoint.weight !== 0;
  table.probing = table.pool.some(isProbing) ? table.pool.filter(isProbing) : [];
}

/** The member that gets a call. */
export function chooseFrom({ members, alias }: Table, stream: boolean, random: () => number): Instance {
  return choose(members, alias, stream, random);
}
