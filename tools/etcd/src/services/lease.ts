import { type Metadata, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { checkLease } from '../auth/access.ts';
import { EtcdFailure, failures } from '../failure.ts';
import { type LeaseGrantRequest, type LeaseRequest } from '../messages.ts';
import { type LeaseState } from '../store/lessor.ts';
import { type ServerState } from './server-state.ts';
import { unary } from './unary.ts';

/** The answer for an unknown lease instead of the failure that the store reports for it. */
function orIfUnknown<T, U>(find: () => T, otherwise: U): T | U {
  try {
    return find();
  } catch (error) {
    if (error instanceof EtcdFailure && error.code === failures.leaseNotFound().code) return otherwise;
    throw error;
  }
}

/** The Lease service. */
export function leaseService({ lessor, access, header }: ServerState): UntypedServiceImplementation {
  return {
    LeaseGrant: unary((request: LeaseGrantRequest, metadata: Metadata) => {
      access(metadata);
      const { id, ttl } = lessor.grant(Number(request.TTL ?? 0), request.ID);
      return { header: header(), ID: id, TTL: ttl };
    }),
    LeaseRevoke: unary((request: LeaseRequest, metadata: Metadata) => {
      const caller = access(metadata);
      if (caller) checkLease(caller, lessor, request.ID ?? '0');
      lessor.revoke(request.ID ?? '0');
      return { header: header() };
    }),
    LeaseKeepAlive(stream: ServerDuplexStream<LeaseRequest, object>) {
      stream.on('data', ({ ID = '0' }: LeaseRequest) => {
        const TTL = orIfUnknown(() => lessor.keepAlive(ID), 0);
        if (stream.write({ header: header(), ID, TTL })) return;
        stream.pause();
        stream.once('drain', () => stream.resume());
      });
      stream.on('end', () => stream.end());
      stream.on('error', () => {});
    },
    LeaseTimeToLive: unary(({ ID = '0', keys }: LeaseRequest, metadata: Metadata) => {
      // Newer releases of etcd ask for this, for the names of keys may be secret too; 3.4.23 does not.
      const caller = keys ? access(metadata) : undefined;
      if (caller) for (const key of lessor.keysOf(ID)) caller.read({ key });
      const state = orIfUnknown((): LeaseState | undefined => lessor.state(ID), undefined);
      if (!state) return { header: header(), ID, TTL: -1 };
      return {
        header: header(),
        ID,
        TTL: state.left,
        grantedTTL: state.ttl,
        keys: keys ? state.keys.map((key) => Buffer.from(key, 'latin1')) : [],
      };
    }),
    LeaseLeases: unary(() => ({ header: header(), leases: lessor.list().map((ID) => ({ ID })) })),
  };
}
