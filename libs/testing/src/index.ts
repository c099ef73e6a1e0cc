export { testDatabase, type TestDatabase } from './database.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { manualClock, type ManualClock } from './manual-clock.ts';
export { createPlatform, type CallAs, type TestPlatform, type TestPlatformOptions } from './platform.ts';
export type { PlatformKeys } from './platform-keys.ts';
export type { RunningProcess } from './processes.ts';
export { startRealPlatform, type RealPlatform, type RealPlatformOptions } from './real-platform.ts';
