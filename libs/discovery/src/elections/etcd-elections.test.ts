import { describe } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines } from '@talaria/etcd/testing';
import { etcdElections, type ServiceElections } from '../index.ts';
import { electionsSuite } from '../testing/elections-suite.ts';

// Mostly they wait for leases: at the same time.
describe('elections in etcd', { concurrency: 2 }, () => {
  for (const engine of engines) {
    electionsSuite(`in ${engine.name}`, engine.skip, async () => {
      const server = await engine.start();
      const clients = new Map<ServiceElections, Etcd>();
      return {
        of(service) {
          const etcd = connectEtcd({ endpoints: server.endpoint, log });
          const elections = etcdElections({ etcd, log, service, instance: `inst_${clients.size}`, ttlSeconds: 2 });
          clients.set(elections, etcd);
          return elections;
        },
        die: (elections) => clients.get(elections)?.close(),
        async stop() {
          for (const etcd of clients.values()) etcd.close();
          await server.stop();
        },
      };
    });
  }
});
