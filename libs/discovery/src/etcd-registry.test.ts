import { silentLogger as log } from '@talaria/base';
import { connectEtcd } from '@talaria/etcd';
import { engines } from '@talaria/etcd/testing';
import { etcdRegistry, etcdResolver } from './index.ts';
import { registrySuite } from './testing/registry-suite.ts';

for (const engine of engines) {
  registrySuite(`in ${engine.name}`, engine.skip, async () => {
    const server = await engine.start();
    const etcd = connectEtcd({ endpoints: server.endpoint, log });
    // Longer than the suite waits: nothing that leaves may be held.
    const resolver = etcdResolver({ etcd, log, emptyGraceMs: 60_000 });
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
}
