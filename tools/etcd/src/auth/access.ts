import { type Metadata } from '@grpc/grpc-js';
import { failures } from '../failure.ts';
import { type DeleteRangeRequest, type PutRequest, type RangeRequest, type RequestOp, type TxnRequest } from '../messages.ts';
import { type Lessor } from '../store/lessor.ts';
import { keyOf, NO_LEASE, rangeOf, type KeyRange } from '../store/record.ts';
import { type AuthStore } from './auth-store.ts';
import { type Tokens } from './tokens.ts';

/** What one caller may do. Each method throws etcd's failure if it may not. */
export interface Access {
  /** Empty for a caller without a token. */
  readonly user: string;
  read(range: KeyRange): void;
  write(range: KeyRange): void;
  admin(): void;
}

/** Says who calls. Undefined: authentication is off, and everybody may do everything. Throws for a token that is not good. */
export type AccessOf = (metadata: Metadata) => Access | undefined;

/** The access of callers by the token in their metadata. */
export function createAccess(store: AuthStore, tokens: Tokens): AccessOf {
  return (metadata) => {
    const [token] = metadata.get('token');
    const user = token === undefined ? '' : tokens.userOf(String(token));
    // Also while authentication is off, as in etcd 3.4: a client that sends a token believes that it is on.
    if (user === undefined) throw failures.invalidToken();
    if (!store.enabled()) return undefined;
    const check = (permitted: boolean): void => {
      if (user === '') throw failures.emptyUser();
      if (!permitted) throw failures.permissionDenied();
    };
    return {
      user,
      read: (range) => check(store.isRoot(user) || store.permissionsOf(user).mayRead(range)),
      write: (range) => check(store.isRoot(user) || store.permissionsOf(user).mayWrite(range)),
      admin: () => check(store.isRoot(user)),
    };
  };
}

/** Throws unless the caller may read what the request asks for. */
export function checkRead(access: Access, request: RangeRequest, throughLog = false): void {
  access.read(rangeOf(request, throughLog));
}

/** Who cannot end a lease may not hang keys on it either. An unknown lease is not refused here. */
export function checkLease(access: Access, lessor: Lessor, id: string): void {
  for (const key of lessor.keysOf(id)) access.write({ key });
}

/** Throws unless the caller may put, and read what it wants to have back. */
export function checkWrite(access: Access, request: PutRequest, lessor: Lessor): void {
  const range = { key: keyOf(request.key) };
  access.write(range);
  checkLease(access, lessor, request.lease ?? NO_LEASE);
  if (request.prev_kv) access.read(range);
}

/** Throws unless the caller may delete, and read what it wants to have back. */
export function checkDelete(access: Access, request: DeleteRangeRequest): void {
  const range = rangeOf(request, true);
  access.write(range);
  if (request.prev_kv) access.read(range);
}

function checkOp(access: Access, op: RequestOp, lessor: Lessor, throughLog: boolean): void {
  if (op.request_range) checkRead(access, op.request_range, throughLog);
  else if (op.request_put) checkWrite(access, op.request_put, lessor);
  else if (op.request_delete_range) checkDelete(access, op.request_delete_range);
  else if (op.request_txn) checkTxnAccess(access, op.request_txn, lessor, throughLog);
}

/**
 * Throws unless the caller may do everything that a transaction could do, in either branch. Nested transactions are looked
 * through and a put's lease and previous value are checked, as newer releases of etcd do: 3.4.23 lets both pass.
 */
export function checkTxnAccess(access: Access, request: TxnRequest, lessor: Lessor, throughLog: boolean): void {
  for (const compare of request.compare ?? []) access.read(rangeOf(compare, throughLog));
  for (const op of [...(request.success ?? []), ...(request.failure ?? [])]) checkOp(access, op, lessor, throughLog);
}
