import { failures } from '../failure.ts';
import { type DeleteRangeRequest, type DeleteRangeResponse, type PutRequest, type PutResponse, type ResponseOp, type TxnRequest, type TxnResponse } from '../messages.ts';
import { compareHolds } from './compare.ts';
import { answerRange } from './range.ts';
import { keyOf, NO_LEASE, rangeOf, toKeyValue } from './record.ts';
import { type Reader, type Store, type Writer } from './store.ts';

/** Whether a lease exists. */
export type HasLease = (id: string) => boolean;

/** Throws if a put cannot be applied to what `reader` sees. */
export function checkAppliable(reader: Reader, request: PutRequest, hasLease: HasLease): void {
  const lease = request.lease ?? NO_LEASE;
  if (lease !== NO_LEASE && !hasLease(lease)) throw failures.leaseNotFound();
  const keeps = request.ignore_value || request.ignore_lease;
  if (keeps && reader.range({ key: keyOf(request.key) }).length === 0) throw failures.keyNotFound();
}

/** Applies a put that was checked. */
export function applyPut(writer: Writer, request: PutRequest): PutResponse {
  const key = keyOf(request.key);
  const [previous] = writer.range({ key });
  if ((request.ignore_value || request.ignore_lease) && !previous) throw failures.keyNotFound();
  const value = request.ignore_value && previous ? previous.value : (request.value ?? Buffer.alloc(0));
  const lease = request.ignore_lease && previous ? previous.lease : (request.lease ?? NO_LEASE);
  writer.put(key, value, lease);
  return { header: { revision: writer.revision() }, ...(request.prev_kv && previous ? { prev_kv: toKeyValue(previous) } : {}) };
}

/** Applies a delete; one that hits nothing makes no revision. */
export function applyDelete(writer: Writer, request: DeleteRangeRequest): DeleteRangeResponse {
  const range = rangeOf(request, true);
  const previous = request.prev_kv ? writer.range(range).map((record) => toKeyValue(record)) : [];
  const deleted = writer.deleteRange(range);
  return { header: { revision: writer.revision() }, deleted, prev_kvs: previous };
}

/** A transaction whose comparisons are done: which branch it takes, and the same for each transaction in that branch. */
interface Plan {
  readonly succeeded: boolean;
  readonly nested: Plan[];
}

/** All comparisons see the state before the transaction, those of nested transactions too. */
function plan(reader: Reader, request: TxnRequest, throughLog: boolean): Plan {
  const succeeded = (request.compare ?? []).every((compare) => compareHolds(reader, compare, throughLog));
  const ops = (succeeded ? request.success : request.failure) ?? [];
  return { succeeded, nested: ops.flatMap(({ request_txn: txn }) => (txn ? [plan(reader, txn, throughLog)] : [])) };
}

const branch = (request: TxnRequest, { succeeded }: Plan) => (succeeded ? request.success : request.failure) ?? [];

/** Throws if an operation that will be applied cannot be: puts first, then reads, as etcd does. */
function checkPuts(reader: Reader, request: TxnRequest, planned: Plan, hasLease: HasLease): void {
  let nested = 0;
  for (const op of branch(request, planned)) {
    if (op.request_put) checkAppliable(reader, op.request_put, hasLease);
    if (op.request_txn) checkPuts(reader, op.request_txn, planned.nested[nested++] as Plan, hasLease);
  }
}

function checkReads(store: Store, request: TxnRequest, planned: Plan): void {
  let nested = 0;
  for (const op of branch(request, planned)) {
    const revision = Number(op.request_range?.revision ?? 0);
    if (revision !== 0 && revision > store.revision()) throw failures.futureRevision();
    if (revision !== 0 && revision < store.compactRevision()) throw failures.compacted();
    if (op.request_txn) checkReads(store, op.request_txn, planned.nested[nested++] as Plan);
  }
}

function apply(writer: Writer, request: TxnRequest, planned: Plan, throughLog: boolean): TxnResponse {
  let nested = 0;
  const responses = branch(request, planned).map((op): ResponseOp => {
    if (op.request_range) return { response_range: answerRange(writer, op.request_range, throughLog) };
    if (op.request_put) return { response_put: applyPut(writer, op.request_put) };
    if (op.request_delete_range) return { response_delete_range: applyDelete(writer, op.request_delete_range) };
    // A nested answer's header has no revision, which etcd's clients see as 0.
    return { response_txn: apply(writer, op.request_txn ?? {}, planned.nested[nested++] as Plan, throughLog) };
  });
  return { header: {}, succeeded: planned.succeeded, responses };
}

/** etcd reads a transaction of nothing but ranges directly; every other one goes through its log. */
export function goesThroughLog(request: TxnRequest): boolean {
  return ![...(request.success ?? []), ...(request.failure ?? [])].every((op) => op.request_range);
}

/** Runs a transaction that was checked: all of it under one revision, or nothing of it. */
export function applyTxn(store: Store, request: TxnRequest, hasLease: HasLease): TxnResponse {
  const throughLog = goesThroughLog(request);
  const planned = plan(store, request, throughLog);
  checkPuts(store, request, planned, hasLease);
  checkReads(store, request, planned);
  return store.write((writer) => {
    const response = apply(writer, request, planned, throughLog);
    return { ...response, header: { revision: writer.revision() } };
  });
}
