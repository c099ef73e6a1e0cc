import { GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import { featureFlags } from '@talaria/flags';
import { createService, type Service } from '@talaria/service';
import { httpEdge } from './edge.ts';
import { experimentBaggage } from './experiments.ts';
import { gatewayHandlers } from './handlers/gateway-handlers.ts';
import { liveOptions } from './live-options.ts';
import { settings } from './settings.ts';

const http = { name: 'http', checkers: [], start: () => edge.start(), stop: () => edge.stop() };
const flags = featureFlags();
const service: Service = createService({ name: 'api.gateway', description: 'The HTTP API', edge: true, capabilities: [flags, http] });
const edge = httpEdge(service, service.settings(settings), { ...liveOptions(service), baggageFor: experimentBaggage(flags) });
service.add(GatewayServiceDefinition, gatewayHandlers(service.instance, () => edge.ruleStats()));
await service.run();
