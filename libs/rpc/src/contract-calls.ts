import { inFlight } from './in-flight.ts';

/** A call as its contract sees it. */
export interface ContractCall {
  /** Ends it with UNAVAILABLE, since the contract is not served any more. */
  stop(): void;
}

/** The calls of one contract that are in flight, on all listeners of a server. */
export interface ContractCalls {
  readonly contract: string;
  /** Whether new calls are refused. */
  readonly draining: boolean;
  begun(call: ContractCall): void;
  ended(call: ContractCall): void;
  /** Refuses new calls, waits up to `limitMs` for those in flight, then ends them. A second call resolves with the first. */
  drain(limitMs: number): Promise<void>;
}

/** Counts the calls of a contract. */
export function contractCalls(contract: string): ContractCalls {
  const running = inFlight<ContractCall>();
  let draining: Promise<void> | undefined;
  const shut = async (limitMs: number): Promise<void> => {
    await running.empty(limitMs);
    for (const call of [...running.calls]) call.stop();
  };
  return {
    contract,
    get draining() {
      return draining !== undefined;
    },
    begun: (call) => running.add(call),
    ended: (call) => running.remove(call),
    drain(limitMs) {
      draining ??= shut(limitMs);
      return draining;
    },
  };
}
