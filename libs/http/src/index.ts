// For services that speak HTTP with others.
export { httpClient, type HttpAnswer, type HttpClient, type HttpClientOptions, type HttpRequest } from './outbound/client.ts';
export { isAllowedAddress, type AddressPolicy } from './outbound/address.ts';
export { type Lookup, type ResolvedAddress } from './outbound/lookup.ts';
// For what publishes contracts.
export { publicRoutes, readRoutes, type ContractRoutes, type ContractSource, type Route } from './transcode/routes.ts';
// For the gateway.
export { createGateway, type Gateway, type GatewayOptions } from './gateway/gateway.ts';
export { type Authenticated } from './gateway/handle.ts';
export { type BaggageFor } from './gateway/edge-baggage.ts';
export { type EdgeCall } from './gateway/edge-call.ts';
export { type ClientFactory } from './gateway/call.ts';
export { type GatewayRule, type RuleAction, type RuleMatch } from './gateway/rules/rule.ts';
export { type RuleStats, type VersionStats } from './gateway/rules/rule-counters.ts';
export { type HistogramBucket } from './gateway/rules/histogram.ts';
export { type DynamicDefinition, type DynamicMethod } from './gateway/definition.ts';
export { type GatewayLimits, type Live } from './gateway/limits.ts';
export { type ServerTimeouts } from './gateway/listen.ts';
export { type DocsOptions } from './gateway/own-answers.ts';
export { type DocsViewer } from './docs/serve-docs.ts';
export { contractReadiness, type ContractReadinessOptions } from './gateway/contract-readiness.ts';
