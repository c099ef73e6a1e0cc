// For those who serve and call contracts.
export { wrongHandlers } from './handlers.ts';
export { createServer, type Server, type ServerOptions } from './server.ts';
export { createConnector, type Connector, type ConnectorOptions } from './connector.ts';
export type { PoolOptions } from './connection-pool.ts';
export type { CallLimits } from './call-limits.ts';
export type { CallTarget, VersionFallback } from './call-target.ts';
export type { CallDeadlines } from './live-deadlines.ts';
export { grpcTransport } from './grpc/grpc-transport.ts';
export { inprocTransport } from './inproc/inproc-transport.ts';
export { staticResolver } from './static-resolver.ts';
export { dnsResolver, type DnsResolverOptions } from './dns-resolver.ts';
export type { Client, CompatServiceDefinition, MethodDefinition, ServiceDefinition, ServiceImplementation } from 'nice-grpc';

// For middleware.
export { nextIn, type NextCall } from './next-in.ts';
export { contractMethod, contractMethods, contractName, type ContractMethod } from './contract.ts';
export { descriptorRegistry, registryOf } from './descriptor.ts';
export { ClientError, Metadata, ServerError, Status } from 'nice-grpc-common';
export type { CallContext, CallOptions, ClientMiddleware, ClientMiddlewareCall, MethodDescriptor, ServerMiddleware, ServerMiddlewareCall } from 'nice-grpc-common';

// For what decides which versions a call prefers.
export { formatVersionPreferences, parseVersionPreferences, VERSIONS_BAGGAGE, type VersionPreference, type VersionPreferences } from './version-preferences.ts';

// For what decides which calls a server takes.
export type { Admission, ArrivingCall, Decision, Refusal, Ticket } from './admission.ts';
export { REFUSED_KEY } from './refused-key.ts';

// For what decides which calls matter most.
export { methodPriority, PRIORITIES, PRIORITY_BAGGAGE, priorityInBaggage, type Priority } from './priority.ts';
export { priorityMiddleware } from './priority-middleware.ts';

// For resolvers, pickers, retries and transports.
export { TransportError } from './transport-error.ts';
export type { CallPlan, CallPolicy, FailedAttempt, MethodStats, PolicyCall } from './call-policy.ts';
export type { AttemptResult, Candidate, EndpointStats, Picker, PickInfo } from './picker.ts';
export type { ContractTopology, EndpointTopology } from './topology.ts';
export type { Endpoint, Resolution, Resolver } from './resolver.ts';
export type {
  CallHandler,
  CallHandle,
  Connection,
  ConnectionState,
  ConnectOptions,
  IncomingCall,
  Keepalive,
  Listener,
  ListenOptions,
  Outcome,
  Peer,
  ServedMethod,
  Transport,
  WireCallOptions,
  WireMethod,
} from './transport.ts';
