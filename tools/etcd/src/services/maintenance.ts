import { type Metadata, type UntypedServiceImplementation, status } from '@grpc/grpc-js';
import { EtcdFailure } from '../failure.ts';
import { type ServerState } from './server-state.ts';
import { unary } from './unary.ts';

/** The version of the etcd API that this server speaks. */
export const API_VERSION = '3.4.23';

/** etcd does not translate the failures of authentication here. */
function untranslated(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof EtcdFailure ? new EtcdFailure(status.UNKNOWN, error.details.replace('etcdserver:', 'auth:')) : error;
  }
}

/** Of the Maintenance service: status, alarms (there are never any) and defragmentation. */
export function maintenanceService({ store, header, persistence, access }: ServerState): UntypedServiceImplementation {
  return {
    Status: unary(() => {
      const { memberId, raftTerm } = persistence.identity;
      const size = persistence.size();
      return {
        header: header(),
        version: API_VERSION,
        dbSize: size,
        dbSizeInUse: size,
        leader: memberId,
        // There is no raft log; each revision counts as one entry.
        raftIndex: store.revision(),
        raftAppliedIndex: store.revision(),
        raftTerm,
        errors: [],
        isLearner: false,
      };
    }),
    Alarm: unary(({ action = 0 }: { action?: number }, metadata: Metadata) => {
      untranslated(() => access(metadata));
      if (action === 1) throw new EtcdFailure(status.UNIMPLEMENTED, 'this server raises no alarms');
      // Without a header, as etcd answers.
      return { alarms: [] };
    }),
    Defragment: unary((_request: object, metadata: Metadata) => {
      untranslated(() => access(metadata)?.admin());
      persistence.vacuum();
      return {};
    }),
  };
}
