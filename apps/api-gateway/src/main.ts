import { GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import { featureFlags } from '@talaria/flags';
import { createService, type Service } from '@talaria/service';
import { httpEdge } from './edge.ts';
import { experimentBaggage } from './experiments.ts';
import { gatewayHandlers } from './handlers/gateway-handlers.ts';
import { gatewayLimits } from './limits.ts';
import { ruleSettings } from './rules.ts';
import { settings } from './settings.ts';

const http = { name: 'http', checkers: [], start: () => edge.start(), stop: () => edge.stop() };
const flags = featureFlags();
const service: Service = createService({ name: 'api.gateway', description: 'The HTTP API', edge: true, capabilities: [flags, http] });
const live = service.config(ruleSettings);
const edge = httpEdge(service, service.settings(settings), { ...gatewayLimits(service), rules: live['gateway.rules'], baggageFor: experimentBaggage(flags) });
service.add(GatewayServiceDefinition, gatewayHandlers(service.instance, () => edge.ruleStats()));
await service.run();
