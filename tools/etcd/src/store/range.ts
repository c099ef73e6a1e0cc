import { type RangeRequest, type RangeResponse } from '../messages.ts';
import { rangeOf, toKeyValue, type KeyRecord } from './record.ts';
import { type Reader } from './store.ts';

const byKey = (a: KeyRecord, b: KeyRecord): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** By the numbers of `SortTarget`: key, version, create, mod, value. */
const ORDERS: readonly ((a: KeyRecord, b: KeyRecord) => number)[] = [
  byKey,
  (a, b) => a.version - b.version,
  (a, b) => a.create - b.create,
  (a, b) => a.mod - b.mod,
  (a, b) => Buffer.compare(a.value, b.value),
];

const NO_ORDER = 0;
const DESCENDING = 2;

/**
 * Answers a Range. The order of the steps is etcd 3.4's and shows: `count` knows nothing of the filters, and a limit without
 * filter or order is applied before sorting by a target other than the key.
 */
export function answerRange(reader: Reader, request: RangeRequest, throughLog = false): RangeResponse {
  const limit = Number(request.limit ?? 0);
  const bounds = {
    minMod: Number(request.min_mod_revision ?? 0),
    maxMod: Number(request.max_mod_revision ?? 0),
    minCreate: Number(request.min_create_revision ?? 0),
    maxCreate: Number(request.max_create_revision ?? 0),
  };
  const order = request.sort_order ?? NO_ORDER;
  const target = request.sort_target ?? 0;
  const found = reader.range(rangeOf(request, throughLog), Number(request.revision ?? 0));
  const header = { revision: reader.revision() };
  if (request.count_only) return { header, kvs: [], more: false, count: found.length };

  const filtered = Object.values(bounds).some((bound) => bound !== 0);
  let records = limit > 0 && order === NO_ORDER && !filtered ? found.slice(0, limit + 1) : found;
  if (filtered) {
    records = records.filter(
      ({ mod, create }) =>
        !(bounds.maxMod !== 0 && mod > bounds.maxMod) &&
        !(bounds.minMod !== 0 && mod < bounds.minMod) &&
        !(bounds.maxCreate !== 0 && create > bounds.maxCreate) &&
        !(bounds.minCreate !== 0 && create < bounds.minCreate),
    );
  }
  const compare = ORDERS[target];
  if (compare && (order !== NO_ORDER || target !== 0)) {
    records = records.toSorted(order === DESCENDING ? (a, b) => compare(b, a) : compare);
  }
  const more = limit > 0 && records.length > limit;
  if (more) records = records.slice(0, limit);
  return { header, kvs: records.map((record) => toKeyValue(record, request.keys_only)), more, count: found.length };
}
