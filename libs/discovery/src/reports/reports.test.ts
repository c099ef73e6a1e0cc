import { silentLogger as log } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines } from '@talaria/etcd/testing';
import { etcdElections, etcdRegistry, memoryElections, memoryRegistry } from '../index.ts';
import { reportsSuite } from '../testing/reports-suite.ts';

reportsSuite('in memory', false, async () => {
  const registry = memoryRegistry();
  const elections = memoryElections();
  return { reports: () => registry.reports, elections: (service) => elections.of(service), revision: undefined, stop: () => registry.close() };
});

for (const engine of engines) {
  reportsSuite(`in ${engine.name}`, engine.skip, async () => {
    const server = await engine.start();
    const opened: Etcd[] = [];
    const connect = (): Etcd => {
      const etcd = connectEtcd({ endpoints: server.endpoint, log });
      opened.push(etcd);
      return etcd;
    };
    return {
      reports: () => etcdRegistry({ etcd: connect(), log }).reports,
      elections: (service) => etcdElections({ etcd: connect(), log, service, instance: `inst_${opened.length}` }),
      revision: async (service, instance) => (await opened[0]?.get(`talaria/default/health/${service}/${instance}`))?.modRevision,
      async stop() {
        for (const etcd of opened) etcd.close();
        await server.stop();
      },
    };
  });
}
