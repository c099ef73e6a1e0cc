// For services.
export { createService } from './service.ts';
export type { OneOrMore, Platform, PublishedContract, PublishedContracts, Service, ServiceOptions, SettingsShape } from './types.ts';
export type { EveryOptions } from './background/background.ts';
export type { LeaderWork, ScheduledWork, Work } from './background/run-context.ts';
export type { Hook, HookOptions, StopPhase } from './hooks.ts';
export type { Interval } from './interval.ts';
export type { MethodInfo } from './method-info.ts';
export type { MethodRule } from '@talaria/auth';
export type { UseOptions } from './middleware-stack.ts';
export { WiringError } from './wiring-error.ts';
export * from './authoring.ts';
export { SettingsError, type Config, type ConfigShape, type Setting, type Settings } from '@talaria/config';
export type { CallContext, CallLimits, Client, ClientMiddleware, CompatServiceDefinition, ServerMiddleware, ServiceImplementation } from '@talaria/rpc';

// For tests and other platforms.
export { memoryElections, type MemoryElections } from '@talaria/discovery';

// For tools and scripts.
export { connectPlatform, type ConnectPlatformOptions, type PlatformClient } from './connect.ts';
export type { DirectClients } from './topology/direct-clients.ts';
export { findPlatform, readPlatformFile, stateDirOf, type PlatformFile } from './platform-file.ts';
