import { grpcTransport } from './grpc/grpc-transport.ts';
import { inprocTransport } from './inproc/inproc-transport.ts';
import { contractsSuite } from './testing/contracts-suite.ts';
import { deadlinesSuite } from './testing/deadlines-suite.ts';
import { rpcSuite } from './testing/rpc-suite.ts';
import { transportSuite } from './testing/transport-suite.ts';
import type { TransportHarness } from './testing/bench.ts';

const harnesses: readonly TransportHarness[] = [
  // Port 1 of loopback: nothing listens there.
  { name: 'h2c', create: grpcTransport, address: 'h2c://127.0.0.1:0', absent: 'h2c://127.0.0.1:1' },
  { name: 'inproc', create: inprocTransport, address: 'inproc://test:0', absent: 'inproc://nobody' },
];

for (const harness of harnesses) {
  transportSuite(harness);
  rpcSuite(harness);
  contractsSuite(harness);
  deadlinesSuite(harness);
}
