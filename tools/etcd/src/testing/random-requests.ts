import { type Compare, type RangeRequest, type PutRequest, type DeleteRangeRequest, type RequestOp, type TxnRequest, type WatchCreateRequest } from '../messages.ts';
import { inRange, keyOf, rangeOf } from '../store/record.ts';

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fewer than twelve, because from twelve on etcd's sort may swap what compares equal. */
export const KEYS = ['a', 'a\0', 'aa', 'ab', 'b', 'b\xff', 'c', '\0', '\xff\xff'].map((key) => Buffer.from(key, 'latin1'));
/** Leases that the requests refer to; the last one never exists. */
export const LEASES = ['11', '12', '9223372036854775807', '99'];
const ENDS = ['', '\0', 'a', 'ab', 'b', 'c', 'd', '\xff\xff\xff'].map((end) => Buffer.from(end, 'latin1'));
const VALUES = ['', 'x', 'y', 'z'.repeat(20)].map((value) => Buffer.from(value));
const NO_KEY = Buffer.alloc(0);
const EVERYTHING = Buffer.from([0]);

/** Makes random requests, most of them valid; `revision` and `compacted` are what the servers are at. */
export function randomRequests(random: () => number) {
  const chance = (share: number): boolean => random() < share;
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const key = (): Buffer => (chance(0.01) ? NO_KEY : pick(KEYS));
  const end = (): { range_end?: Buffer } => (chance(0.5) ? { range_end: pick(ENDS) } : {});
  const near = (revision: number): string => String(Math.max(-1, revision - below(12) + 2));

  function range(revision: number): RangeRequest {
    const request: RangeRequest = chance(0.4) ? { key: EVERYTHING, range_end: EVERYTHING } : { key: key(), ...end() };
    if (chance(0.3)) request.limit = String(below(5) - 1);
    if (chance(0.3)) request.revision = near(revision);
    if (chance(0.3)) request.sort_order = below(3);
    if (chance(0.5)) request.sort_target = below(5);
    if (chance(0.1)) request.keys_only = true;
    if (chance(0.1)) request.count_only = true;
    if (chance(0.1)) request.min_mod_revision = near(revision);
    if (chance(0.1)) request.max_mod_revision = near(revision);
    if (chance(0.1)) request.min_create_revision = near(revision);
    if (chance(0.1)) request.max_create_revision = near(revision);
    return request;
  }

  /** `keeps`: may ask for the old value or lease. In a transaction that also deletes the key this makes etcd panic. */
  function put(keeps: boolean): PutRequest {
    const request: PutRequest = { key: key(), value: pick(VALUES) };
    if (chance(0.3)) request.lease = pick(LEASES);
    if (chance(0.3)) request.prev_kv = true;
    if (keeps && chance(0.15)) request.ignore_lease = true;
    if (keeps && chance(0.15)) {
      request.ignore_value = true;
      if (chance(0.8)) delete request.value;
    }
    return request;
  }

  const remove = (): DeleteRangeRequest => ({ key: key(), ...(chance(0.5) ? end() : {}), ...(chance(0.5) ? { prev_kv: true } : {}) });

  function compare(revision: number): Compare {
    const target = below(5);
    const base: Compare = { key: key(), result: below(4), target, ...(chance(0.2) ? end() : {}) };
    if (chance(0.1)) return base;
    if (target === 0) return { ...base, version: String(below(4)) };
    if (target === 1) return { ...base, create_revision: chance(0.4) ? '0' : near(revision) };
    if (target === 2) return { ...base, mod_revision: chance(0.4) ? '0' : near(revision) };
    if (target === 3) return { ...base, value: pick(VALUES) };
    return { ...base, lease: chance(0.4) ? '0' : pick(LEASES) };
  }

  function op(revision: number, depth: number): RequestOp {
    const kind = random();
    if (kind < 0.3) return { request_range: range(revision) };
    if (kind < 0.65) return { request_put: put(false) };
    if (kind < 0.8) return { request_delete_range: remove() };
    if (kind < 0.99 && depth < 3) return { request_txn: txn(revision, depth + 1) };
    return kind < 0.99 ? { request_put: put(false) } : {};
  }

  function txn(revision: number, depth = 0): TxnRequest {
    const list = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make);
    const readOnly = depth === 0 && chance(0.15);
    const make = (): RequestOp => (readOnly ? { request_range: range(revision) } : op(revision, depth));
    return { compare: list(2, () => compare(revision)), success: list(3, make), failure: list(3, make) };
  }

  /** A watch that at least one of the keys is for, and that does not filter everything away. */
  function watch(revision: number): WatchCreateRequest {
    for (;;) {
      const request: WatchCreateRequest = { key: pick(KEYS), ...end() };
      if (!KEYS.some((one) => inRange(rangeOf(request, true), keyOf(one)))) continue;
      if (chance(0.7)) request.start_revision = String(Math.max(0, chance(0.2) ? revision : revision - below(60) + 5));
      if (chance(0.5)) request.prev_kv = true;
      if (chance(0.2)) request.filters = [below(2)];
      if (chance(0.2)) request.fragment = true;
      return request;
    }
  }

  return { range, put, remove, txn, watch, below, chance, pick };
}
