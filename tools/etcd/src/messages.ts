// The etcd API's messages as the protobuf codec hands them over: field names as in the .proto, int64 and uint64 as decimal
// strings, enums as numbers, and fields that were not on the wire absent.

/** An int64 in decimal. */
export type Int64 = string;

export interface ResponseHeader {
  cluster_id?: string;
  member_id?: string;
  revision?: number;
  raft_term?: number;
}

export interface KeyValue {
  key: Buffer;
  create_revision?: number;
  mod_revision: number;
  version?: number;
  value?: Buffer;
  lease?: Int64;
}

export interface RangeRequest {
  key?: Buffer;
  range_end?: Buffer;
  limit?: Int64;
  revision?: Int64;
  sort_order?: number;
  sort_target?: number;
  keys_only?: boolean;
  count_only?: boolean;
  min_mod_revision?: Int64;
  max_mod_revision?: Int64;
  min_create_revision?: Int64;
  max_create_revision?: Int64;
}

export interface RangeResponse {
  header: ResponseHeader;
  kvs: KeyValue[];
  more: boolean;
  count: number;
}

export interface PutRequest {
  key?: Buffer;
  value?: Buffer;
  lease?: Int64;
  prev_kv?: boolean;
  ignore_value?: boolean;
  ignore_lease?: boolean;
}

export interface PutResponse {
  header: ResponseHeader;
  prev_kv?: KeyValue;
}

export interface DeleteRangeRequest {
  key?: Buffer;
  range_end?: Buffer;
  prev_kv?: boolean;
}

export interface DeleteRangeResponse {
  header: ResponseHeader;
  deleted: number;
  prev_kvs: KeyValue[];
}

/** One operation of a transaction; at most one field is set. */
export interface RequestOp {
  request_range?: RangeRequest;
  request_put?: PutRequest;
  request_delete_range?: DeleteRangeRequest;
  request_txn?: TxnRequest;
}

export interface ResponseOp {
  response_range?: RangeResponse;
  response_put?: PutResponse;
  response_delete_range?: DeleteRangeResponse;
  response_txn?: TxnResponse;
}

export interface Compare {
  result?: number;
  target?: number;
  key?: Buffer;
  range_end?: Buffer;
  version?: Int64;
  create_revision?: Int64;
  mod_revision?: Int64;
  value?: Buffer;
  lease?: Int64;
}

export interface TxnRequest {
  compare?: Compare[];
  success?: RequestOp[];
  failure?: RequestOp[];
}

export interface TxnResponse {
  header: ResponseHeader;
  succeeded: boolean;
  responses: ResponseOp[];
}

export interface CompactionRequest {
  revision?: Int64;
  physical?: boolean;
}

export interface WatchCreateRequest {
  key?: Buffer;
  range_end?: Buffer;
  start_revision?: Int64;
  progress_notify?: boolean;
  filters?: number[];
  prev_kv?: boolean;
  watch_id?: Int64;
  fragment?: boolean;
}

/** At most one field is set. */
export interface WatchRequest {
  create_request?: WatchCreateRequest;
  cancel_request?: { watch_id?: Int64 };
  progress_request?: Record<string, never>;
}

export interface WatchEvent {
  /** 0 is a put, 1 a delete. */
  type: 0 | 1;
  kv: KeyValue;
  prev_kv?: KeyValue;
}

export interface WatchResponse {
  header: ResponseHeader;
  watch_id: Int64;
  created?: boolean;
  canceled?: boolean;
  compact_revision?: number;
  cancel_reason?: string;
  fragment?: boolean;
  events?: WatchEvent[];
}

export interface LeaseGrantRequest {
  TTL?: Int64;
  ID?: Int64;
}

export interface LeaseRequest {
  ID?: Int64;
  keys?: boolean;
}

/** The requests about one user (or one role, which is named alike): their fields, as far as each has them. */
export interface AuthUserRequest {
  name?: string;
  password?: string;
  options?: { no_password?: boolean };
}

/** The requests about a user's role, or a role by itself. Granting calls the user `user`, and revoking `name`. */
export interface AuthUserRoleRequest {
  user?: string;
  name?: string;
  role?: string;
}

export interface AuthRoleGrantPermissionRequest {
  name?: string;
  /** `permType`: 0 is read, 1 write, 2 both. */
  perm?: { permType?: number; key?: Buffer; range_end?: Buffer };
}

export interface AuthRoleKeyRequest {
  role?: string;
  key?: Buffer;
  range_end?: Buffer;
}
