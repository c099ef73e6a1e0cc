import { Status } from 'nice-grpc-common';

/** What the first segment of a code decides. */
export interface Kind {
  readonly http: number;
  readonly grpc: Status;
  /** Whether a repeat may succeed, unless the error itself says otherwise. */
  readonly retryable: boolean;
}

/** The one catalogue of first segments. After monzo/terrors, with gRPC's and HTTP's own names for the statuses. */
export const KINDS = {
  bad_request: { http: 400, grpc: Status.INVALID_ARGUMENT, retryable: false },
  unauthorized: { http: 401, grpc: Status.UNAUTHENTICATED, retryable: false },
  forbidden: { http: 403, grpc: Status.PERMISSION_DENIED, retryable: false },
  not_found: { http: 404, grpc: Status.NOT_FOUND, retryable: false },
  conflict: { http: 409, grpc: Status.ALREADY_EXISTS, retryable: false },
  precondition_failed: { http: 412, grpc: Status.FAILED_PRECONDITION, retryable: false },
  rate_limited: { http: 429, grpc: Status.RESOURCE_EXHAUSTED, retryable: true },
  cancelled: { http: 499, grpc: Status.CANCELLED, retryable: false },
  internal_service: { http: 500, grpc: Status.INTERNAL, retryable: true },
  unknown: { http: 500, grpc: Status.UNKNOWN, retryable: true },
  unimplemented: { http: 501, grpc: Status.UNIMPLEMENTED, retryable: false },
  unavailable: { http: 503, grpc: Status.UNAVAILABLE, retryable: true },
  timeout: { http: 504, grpc: Status.DEADLINE_EXCEEDED, retryable: true },
} as const satisfies Record<string, Kind>;

/** A first segment. */
export type KindName = keyof typeof KINDS;

/** The first segment of a dotted code; `unknown` for one that is not in the catalogue. */
export function kindNameOf(code: string): KindName {
  const first = code.split('.', 1)[0] ?? '';
  return Object.hasOwn(KINDS, first) ? (first as KindName) : 'unknown';
}

/** The kind of a dotted code; `unknown` for a first segment that is not in the catalogue. */
export function kindOf(code: string): Kind {
  return KINDS[kindNameOf(code)];
}

/** gRPC statuses that no code of ours maps to, and what they mean for us. */
const OTHER_STATUSES: Partial<Record<Status, KindName>> = {
  [Status.ABORTED]: 'conflict',
  [Status.OUT_OF_RANGE]: 'bad_request',
  [Status.DATA_LOSS]: 'internal_service',
};

/** The first segment for a gRPC status. */
export function kindNameOfStatus(status: Status): KindName {
  const found = (Object.keys(KINDS) as KindName[]).find((name) => KINDS[name].grpc === status);
  return found ?? OTHER_STATUSES[status] ?? 'unknown';
}
