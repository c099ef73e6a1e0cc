// For services.
export { createService } from './service.ts';
export type { OneOrMore, Platform, PublishedContract, PublishedContracts, Service, ServiceOptions, SettingsShape, StopPhase } from './types.ts';
export { WiringError } from './wiring-error.ts';
export { setting, SettingsError, type Setting, type Settings } from '@talaria/config';
export { currentCall, runInCall, timeRemaining, type Call, type Caller, type Principal } from '@talaria/context';
export type { CallContext, CallLimits, Client, ClientMiddleware, CompatServiceDefinition, ServerMiddleware, ServiceImplementation } from '@talaria/rpc';
export { z } from 'zod';

// For tools and scripts.
export { connectPlatform, type ConnectPlatformOptions, type PlatformClient } from './connect.ts';
export { readPlatformFile, stateDirOf, type PlatformFile } from './platform-file.ts';
