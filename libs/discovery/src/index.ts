export type { ContractInfo, ContractsWatch, Instance, Publication, PublishOptions, Registration, RegistrationChange, RegisteredEndpoint, RegisterOptions, Registry } from './registry.ts';
export { descriptorHash } from './descriptor-hash.ts';
export { etcdRegistry, type EtcdRegistryOptions } from './etcd-registry.ts';
export { etcdResolver, type EtcdResolver, type EtcdResolverOptions } from './etcd-resolver.ts';
export { memoryRegistry, type MemoryRegistry } from './memory-registry.ts';
export { etcdElections, type EtcdElectionsOptions } from './elections/etcd-elections.ts';
export { memoryElections, type MemoryElections } from './elections/memory-elections.ts';
export type { ScheduleRuns, ServiceElections } from './elections/elections.ts';
export { MONITOR_ELECTION, type CheckReport, type HealthReports, type InstanceReport } from './reports/reports.ts';
