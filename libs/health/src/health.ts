import type { Checker } from '@talaria/base';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '@talaria/contracts/health/v1/health';
import { createChecks, type ChecksOptions } from './checks.ts';
import type { CheckOutcome } from './run-checker.ts';

/** The health of one instance. */
export interface Health {
  /** Says that the instance takes calls, or none; at first it takes none. */
  setOverall(serving: boolean): void;
  /** Says that a contract is served here, or that it is known but not served now. */
  setServing(contract: string, serving: boolean): void;
  /** Forgets a contract. */
  remove(contract: string): void;
  /**
   * Of a contract, or of the instance (`''`); undefined for a contract that is not known here. `liveness`, for liveness
   * probes, is SERVING until the process ends, whatever the instance says and its checkers find.
   */
  status(contract: string): ServingStatus | undefined;
  /** Of the instance (`''`) and of every known contract. */
  statuses(): ReadonlyMap<string, ServingStatus>;
  /** Calls `listener` after every change; the answer stops that. */
  onChange(listener: () => void): () => void;
  /** Whether no critical checker fails, whatever the instance itself says; before the first results, true. */
  readonly well: boolean;
  /** What the checkers found last. */
  results(): readonly CheckOutcome[];
  /** Runs the checkers once, now. */
  check(): Promise<readonly CheckOutcome[]>;
  /** Runs one more checker from now on. */
  add(checker: Checker): void;
  /** Starts to run the checkers again and again. */
  start(): void;
  /** Says NOT_SERVING from now on, ends all watches, and runs no more checkers. */
  stop(): void;
  /** Aborts at `stop`. */
  readonly stopped: AbortSignal;
}

/** What liveness probes ask for. They restart an instance, which helps neither one that drains nor one whose database is away. */
const LIVENESS = 'liveness';

/**
 * Knows whether an instance takes calls: it says so itself, and no critical checker fails. A checker that fails and is
 * not critical is only reported.
 */
export function createHealth(options: ChecksOptions): Health {
  const contracts = new Map<string, boolean>();
  const listeners = new Set<() => void>();
  const stopped = new AbortController();
  let overall = false;
  let well = true;

  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const checks = createChecks(options, () => {
    if (checks.well === well) return;
    well = checks.well;
    changed();
  });
  const of = (serving: boolean): ServingStatus => (serving && overall && well ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  const status = (contract: string): ServingStatus | undefined => {
    if (contract === '') return of(true);
    if (contract === LIVENESS) return ServingStatus.SERVING;
    const serving = contracts.get(contract);
    return serving === undefined ? undefined : of(serving);
  };

  return {
    setOverall(serving) {
      if (overall === serving || stopped.signal.aborted) return;
      overall = serving;
      changed();
    },
    setServing(contract, serving) {
      if (contracts.get(contract) === serving) return;
      contracts.set(contract, serving);
      changed();
    },
    remove(contract) {
      if (contracts.delete(contract)) changed();
    },
    status,
    statuses: () => new Map(['', ...contracts.keys()].map((contract) => [contract, status(contract) ?? ServingStatus.NOT_SERVING])),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get well() {
      return checks.well;
    },
    results: () => checks.outcomes,
    check: () => checks.run(),
    add: (checker) => checks.add(checker),
    start: () => checks.start(),
    stop() {
      if (stopped.signal.aborted) return;
      checks.stop();
      overall = false;
      changed();
      stopped.abort();
    },
    stopped: stopped.signal,
  };
}
