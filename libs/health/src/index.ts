export type { ChecksOptions } from './checks.ts';
export type { CheckOutcome } from './run-checker.ts';
export { healthDefinition, healthHandlers } from './grpc-health.ts';
export { createHealth, type Health } from './health.ts';
