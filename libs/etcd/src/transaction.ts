import type { ICompare, IRequestOp } from 'etcd3';
import { endOfPrefix, type Comparison, type Operation } from './types.ts';

/** A comparison as etcd3 takes it. */
export function toCompare(comparison: Comparison): ICompare {
  if ('prefix' in comparison) {
    const { prefix, unchangedSince } = comparison;
    return { key: Buffer.from(prefix), range_end: endOfPrefix(prefix), target: 'Mod', result: 'Less', mod_revision: String(unchangedSince + 1n) };
  }
  const key = Buffer.from(comparison.key);
  if ('lease' in comparison) return { key, target: 'Lease', result: 'Equal', lease: comparison.lease };
  return { key, target: 'Mod', result: 'Equal', mod_revision: String(comparison.modRevision) };
}

/** An operation as etcd3 takes it. */
export function toRequest(operation: Operation): IRequestOp {
  if ('delete' in operation) return { request_delete_range: { key: Buffer.from(operation.delete) } };
  const { put, value, lease } = operation;
  return { request_put: { key: Buffer.from(put), value: Buffer.from(value), ...(lease === undefined ? {} : { lease }) } };
}
