import { type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type ServerState } from './server-state.ts';
import { unary } from './unary.ts';

/** Of the Cluster service the member list: this server is its only member, and stays it. */
export function clusterService({ header, persistence, address }: ServerState): UntypedServiceImplementation {
  return {
    MemberList: unary(() => ({
      header: header(),
      members: [{ ID: persistence.identity.memberId, name: 'default', peerURLs: [], clientURLs: [`http://${address()}`], isLearner: false }],
    })),
  };
}
