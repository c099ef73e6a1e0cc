import { type UntypedServiceImplementation, status } from '@grpc/grpc-js';
import { EtcdFailure } from '../failure.ts';
import { type ServerState } from './server-state.ts';
import { unary } from './unary.ts';

/** The version of the etcd API that this server speaks. */
export const API_VERSION = '3.4.23';

/** Of the Maintenance service: status, alarms (there are never any) and defragmentation. */
export function maintenanceService({ store, header, persistence }: ServerState): UntypedServiceImplementation {
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
    Alarm: unary(({ action = 0 }: { action?: number }) => {
      if (action === 1) throw new EtcdFailure(status.UNIMPLEMENTED, 'this server raises no alarms');
      return { header: header(), alarms: [] };
    }),
    Defragment: unary(() => {
      persistence.vacuum();
      return { header: header() };
    }),
  };
}
