import { silentLogger as log } from '@talaria/base';
import { connectEtcd } from '@talaria/etcd';
import { startRealEtcd } from '@talaria/etcd/testing';
import { etcdRegistry, etcdResolver } from './index.ts';
import { registrySuite } from './testing/registry-suite.ts';

registrySuite('in a real etcd', async () => {
  const server = await startRealEtcd();
  const etcd = connectEtcd({ endpoints: server.endpoint, log });
  const resolver = etcdResolver({ etcd, log });
  return {
    registry: () => etcdRegistry({ etcd, log }),
    resolver: () => resolver,
    async stop() {
      resolver.close();
      etcd.close();
      await server.stop();
    },
  };
});
