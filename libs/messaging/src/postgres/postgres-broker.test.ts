import { after } from 'node:test';
import { brokerSuite } from '../testing/broker-suite.ts';
import { startTestServer } from '../testing/database.ts';
import { postgresBroker } from './postgres-broker.ts';

const server = startTestServer();
after(async () => (await server).stop());

brokerSuite('the broker on PostgreSQL', { make: postgresBroker, env: async () => ({ DATABASE_URL: (await server).url }) });
