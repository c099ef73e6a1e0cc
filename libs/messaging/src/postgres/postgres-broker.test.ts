import { silentLogger, type Host } from '@talaria/base';
import { testServer } from '@talaria/postgres/testing';
import { testBroker } from '../testing/broker-suite.ts';
import { postgresBroker } from './postgres-broker.ts';

testBroker('PostgreSQL', async () => {
  const server = await testServer();
  const host: Host = { service: 'service.test', instance: 'i', log: silentLogger, env: { BROKER_URL: await server.database() } };
  const [one, other] = [postgresBroker(), postgresBroker()];
  await Promise.all([one, other].map((broker) => broker.start(host, new AbortController().signal)));
  return {
    one,
    other,
    async stop() {
      await Promise.all([one.stop(), other.stop()]);
      await server.stop();
    },
  };
});
