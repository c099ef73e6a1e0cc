export type { TransportHarness } from './bench.ts';
export { transportSuite } from './transport-suite.ts';
