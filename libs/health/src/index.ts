export type { CheckOutcome, ChecksOptions } from './checks.ts';
export { healthDefinition, healthHandlers } from './grpc-health.ts';
export { createHealth, type Health } from './health.ts';
