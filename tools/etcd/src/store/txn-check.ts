import { failures } from '../failure.ts';
import { type DeleteRangeRequest, type PutRequest, type RangeRequest, type RequestOp, type TxnRequest } from '../messages.ts';
import { inRange, keyOf, NO_LEASE, type KeyRange } from './record.ts';

/** etcd's default for `--max-txn-ops`; a nested transaction has what its parents left over. */
const MAX_TXN_OPS = 128;

/** Throws unless the request names a key. */
export function checkKey(request: RangeRequest | DeleteRangeRequest): void {
  if (!request.key?.length) throw failures.emptyKey();
}

/** Throws if a put lacks its key, or gives what it says to ignore. */
export function checkPut(request: PutRequest): void {
  checkKey(request);
  if (request.ignore_value && request.value?.length) throw failures.valueProvided();
  if (request.ignore_lease && (request.lease ?? NO_LEASE) !== NO_LEASE) throw failures.leaseProvided();
}

function checkOp(op: RequestOp, opsLeft: number): void {
  if (op.request_range) checkKey(op.request_range);
  else if (op.request_put) checkPut(op.request_put);
  else if (op.request_delete_range) checkKey(op.request_delete_range);
  else if (op.request_txn) checkOps(op.request_txn, opsLeft);
  else throw failures.keyNotFound();
}

function checkOps(request: TxnRequest, opsLeft: number): void {
  const { compare = [], success = [], failure = [] } = request;
  const ops = Math.max(compare.length, success.length, failure.length);
  if (ops > opsLeft) throw failures.tooManyOps();
  for (const { key } of compare) if (!key?.length) throw failures.emptyKey();
  for (const op of [...success, ...failure]) checkOp(op, opsLeft - ops);
}

interface Touched {
  readonly puts: Set<string>;
  readonly deletes: KeyRange[];
}

/** The range of a delete as this check sees it: etcd does not know the zero byte as "no upper bound" here. */
function deletedRange(request: DeleteRangeRequest): KeyRange {
  const key = keyOf(request.key);
  return request.range_end?.length ? { key, end: keyOf(request.range_end) } : { key };
}

/**
 * Throws `duplicateKey` if a key is put twice, or put and deleted. The two branches of a nested transaction exclude each
 * other, so they may put the same key. The order of the checks, which decides what is found, is etcd's `checkIntervals`.
 */
function checkDuplicates(ops: readonly RequestOp[]): Touched {
  const puts = new Set<string>();
  const deletes = ops.flatMap((op) => (op.request_delete_range ? [deletedRange(op.request_delete_range)] : []));
  const put = (key: string, exempt?: Set<string>): void => {
    if (puts.has(key) && !exempt?.has(key)) throw failures.duplicateKey();
    if (deletes.some((range) => inRange(range, key))) throw failures.duplicateKey();
    puts.add(key);
  };
  for (const { request_txn: nested } of ops) {
    if (!nested) continue;
    const taken = checkDuplicates(nested.success ?? []);
    const other = checkDuplicates(nested.failure ?? []);
    for (const key of taken.puts) put(key);
    for (const key of other.puts) put(key, taken.puts);
    deletes.push(...taken.deletes, ...other.deletes);
  }
  for (const { request_put: request } of ops) if (request) put(keyOf(request.key));
  return { puts, deletes };
}

/** Throws unless every operation of both branches, taken or not, is valid. */
export function checkTxn(request: TxnRequest): void {
  checkOps(request, MAX_TXN_OPS);
  checkDuplicates(request.success ?? []);
  checkDuplicates(request.failure ?? []);
}
