import type { TransportHarness } from './bench.ts';
import { admissionSuite } from './suite-admission.ts';
import { callSuite } from './suite-calls.ts';
import { endSuite } from './suite-ends.ts';
import { leavingSuite } from './suite-leaving.ts';
import { peerSuite } from './suite-peers.ts';

/** What every implementation of the transport seam has to pass, on `node:test`. */
export function transportSuite(harness: TransportHarness): void {
  callSuite(harness);
  endSuite(harness);
  peerSuite(harness);
  admissionSuite(harness);
  leavingSuite(harness);
}
