export { closest } from './closest.ts';
export { systemClock, sleep, type CancelTimer, type Clock } from './clock.ts';
export { newId } from './id.ts';
export { fixedSetting, mutableSetting, type LiveSetting, type MutableSetting } from './live-setting.ts';
export { createLogger, silentLogger, LOG_FORMATS, LOG_LEVELS, LOG_OUTPUTS, type LogFields, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export type { LogFormat } from './logging/format.ts';
export type { LogDestination, LogOutput } from './logging/output.ts';
export type { Capability, Host } from './capability.ts';
export type { Checker, CheckResult } from './checker.ts';
