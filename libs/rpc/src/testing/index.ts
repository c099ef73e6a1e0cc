export { contractsSuite } from './contracts-suite.ts';
export { deadlinesSuite } from './deadlines-suite.ts';
export type { TransportHarness } from './bench.ts';
export { rpcSuite } from './rpc-suite.ts';
export { transportSuite } from './transport-suite.ts';
