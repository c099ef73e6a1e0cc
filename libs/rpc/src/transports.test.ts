import { grpcTransport } from './grpc/grpc-transport.ts';
import { inprocTransport } from './inproc/inproc-transport.ts';
import { transportSuite } from './testing/transport-suite.ts';

// Port 1 of loopback: nothing listens there.
transportSuite({ name: 'h2c', create: grpcTransport, address: 'h2c://127.0.0.1:0', absent: 'h2c://127.0.0.1:1' });
transportSuite({ name: 'inproc', create: inprocTransport, address: 'inproc://test:0', absent: 'inproc://nobody' });
