import { fixedSetting } from '@talaria/base';
import { grpcTransport, inprocTransport, type Transport } from '@talaria/rpc';
import { contractsSuite, deadlinesSuite, rpcSuite, transportSuite } from '@talaria/rpc/testing';
import type { FaultRule } from './fault-rule.ts';
import { createFaults } from './faults.ts';
import { faultyTransport } from './faulty-transport.ts';

const kinds = [
  // Port 1 of loopback: nothing listens there.
  { name: 'h2c', create: (): Transport => grpcTransport(), address: 'h2c://127.0.0.1:0', absent: 'h2c://127.0.0.1:1' },
  { name: 'inproc', create: (): Transport => inprocTransport(), address: 'inproc://test:0', absent: 'inproc://nobody' },
];
const nothing: readonly FaultRule[] = [];
// Every call walks through the fault, which does nothing to it.
const harmless: readonly FaultRule[] = [
  { side: 'client', fault: { delay: 0 } },
  { side: 'server', fault: { delay: 0 } },
];

for (const kind of kinds) {
  const decorated = (rules: readonly FaultRule[]) => () => faultyTransport(kind.create(), createFaults({ rules: fixedSetting(rules), service: 'service.test', instance: 'inst_1' }));
  const without = { ...kind, name: `${kind.name} that may go wrong`, create: decorated(nothing) };
  transportSuite(without);
  rpcSuite(without);
  contractsSuite(without);
  deadlinesSuite(without);
  transportSuite({ ...kind, name: `${kind.name} with faults that do nothing`, create: decorated(harmless) });
}
