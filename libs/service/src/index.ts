// For services.
export { createService } from './service.ts';
export type { OneOrMore, Platform, PublishedContract, PublishedContracts, Service, ServiceOptions, SettingsShape, StopPhase } from './types.ts';
export { WiringError } from './wiring-error.ts';
export * from './authoring.ts';
export { SettingsError, type Setting, type Settings } from '@talaria/config';
export type { CallContext, CallLimits, Client, ClientMiddleware, CompatServiceDefinition, ServerMiddleware, ServiceImplementation } from '@talaria/rpc';

// For tools and scripts.
export { connectPlatform, type ConnectPlatformOptions, type PlatformClient } from './connect.ts';
export { findPlatform, readPlatformFile, stateDirOf, type PlatformFile } from './platform-file.ts';
