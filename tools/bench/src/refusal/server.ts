// The server, in a process of its own: says its address, takes or refuses calls as it is told, and its CPU time when it is asked.
import { mutableSetting } from '@talaria/base';
import { HealthDefinition } from '@talaria/contracts/health/v1/health';
import { admission, type ServerLimits } from '@talaria/resilience';
import { createServer, grpcTransport } from '@talaria/rpc';

const limits = mutableSetting<ServerLimits>({});
const server = createServer({ transports: [grpcTransport()], admission: admission({ limits }) });
server.add(HealthDefinition, { check: async () => ({}), list: async () => ({}), watch: () => (async function* () {})() });
const address = await server.listen('h2c://127.0.0.1:0');
process.on('message', (refuse: boolean | 'cpu') => {
  if (refuse !== 'cpu') limits.set(refuse ? { '*': { total: { per_second: 1e-6, burst: 1 } } } : {});
  process.send?.({ cpu: process.cpuUsage() });
});
process.on('disconnect', () => process.exit());
process.send?.({ address });
