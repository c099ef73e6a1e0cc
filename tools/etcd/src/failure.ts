import { status } from '@grpc/grpc-js';

/** An answer that is an error: a gRPC status with etcd's own words, which its clients match on. */
export class EtcdFailure extends Error {
  /** The gRPC status code. */
  readonly code: status;
  /** What grpc-js puts on the wire as the status message. */
  readonly details: string;

  constructor(code: status, message: string) {
    super(message);
    this.name = 'EtcdFailure';
    this.code = code;
    this.details = message;
  }
}

const failure = (code: status, message: string) => (): EtcdFailure => new EtcdFailure(code, message);

/** The failures of the etcd API; codes and texts after etcd's `rpctypes`. */
export const failures = {
  emptyKey: failure(status.INVALID_ARGUMENT, 'etcdserver: key is not provided'),
  keyNotFound: failure(status.INVALID_ARGUMENT, 'etcdserver: key not found'),
  valueProvided: failure(status.INVALID_ARGUMENT, 'etcdserver: value is provided'),
  leaseProvided: failure(status.INVALID_ARGUMENT, 'etcdserver: lease is provided'),
  tooManyOps: failure(status.INVALID_ARGUMENT, 'etcdserver: too many operations in txn request'),
  duplicateKey: failure(status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request'),
  requestTooLarge: failure(status.INVALID_ARGUMENT, 'etcdserver: request is too large'),
  compacted: failure(status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'),
  futureRevision: failure(status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision'),
  noSpace: failure(status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'),
  leaseNotFound: failure(status.NOT_FOUND, 'etcdserver: requested lease not found'),
  leaseExists: failure(status.FAILED_PRECONDITION, 'etcdserver: lease already exists'),
  emptyUser: failure(status.INVALID_ARGUMENT, 'etcdserver: user name is empty'),
  emptyRole: failure(status.INVALID_ARGUMENT, 'etcdserver: role name is empty'),
  authenticationFailed: failure(status.INVALID_ARGUMENT, 'etcdserver: authentication failed, invalid user ID or password'),
  invalidAuthManagement: failure(status.INVALID_ARGUMENT, 'etcdserver: invalid auth management'),
  permissionNotGiven: failure(status.INVALID_ARGUMENT, 'etcdserver: permission not given'),
  rootUserNotFound: failure(status.FAILED_PRECONDITION, 'etcdserver: root user does not exist'),
  rootRoleNotFound: failure(status.FAILED_PRECONDITION, 'etcdserver: root user does not have root role'),
  userExists: failure(status.FAILED_PRECONDITION, 'etcdserver: user name already exists'),
  userNotFound: failure(status.FAILED_PRECONDITION, 'etcdserver: user name not found'),
  roleExists: failure(status.FAILED_PRECONDITION, 'etcdserver: role name already exists'),
  roleNotFound: failure(status.FAILED_PRECONDITION, 'etcdserver: role name not found'),
  roleNotGranted: failure(status.FAILED_PRECONDITION, 'etcdserver: role is not granted to the user'),
  permissionNotGranted: failure(status.FAILED_PRECONDITION, 'etcdserver: permission is not granted to the role'),
  authNotEnabled: failure(status.FAILED_PRECONDITION, 'etcdserver: authentication is not enabled'),
  permissionDenied: failure(status.PERMISSION_DENIED, 'etcdserver: permission denied'),
  invalidToken: failure(status.UNAUTHENTICATED, 'etcdserver: invalid auth token'),
  noPasswordUser: failure(status.UNKNOWN, 'auth: authentication failed, password was given for no password user'),
  leaseTtlTooLarge: failure(status.OUT_OF_RANGE, 'etcdserver: too large lease TTL'),
} as const;
