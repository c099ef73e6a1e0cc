import { Metadata, Status } from 'nice-grpc-common';
import type { Admission, ArrivingCall, Decision, Refusal } from './admission.ts';

/** What a call is answered whose admission failed itself. */
const BROKEN: Refusal = { refusal: { status: Status.UNKNOWN, details: 'unknown error', trailer: Metadata() } };

/** Asks an admission; `decided` is called at once where that can be, and told whether the call had to wait. */
export function decide(admission: Admission, call: ArrivingCall, decided: (decision: Decision, waited: boolean) => void): void {
  let decision: Decision | Promise<Decision>;
  try {
    decision = admission.admit(call);
  } catch {
    decision = BROKEN;
  }
  if (decision instanceof Promise) {
    decision.then(
      (later) => decided(later, true),
      () => decided(BROKEN, true),
    );
  } else decided(decision, false);
}
