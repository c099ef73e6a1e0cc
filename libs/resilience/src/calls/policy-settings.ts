/** When a failed attempt is made again. What is absent is as a less specific place says. */
export interface RetrySettings {
  /** Most attempts of a call, the first and hedges included. Default 3; 1 means no retry and no hedge. */
  readonly attempts?: number | undefined;
  /** The first retry goes at once; the next waits a random time of at most this, in ms, each later one of at most twice as long. Default 50. */
  readonly backoff?: number | undefined;
  /** The longest such wait, in ms; a server that asks for a longer one gets no retry. Default 1,000. */
  readonly max_backoff?: number | undefined;
}

/** When one more attempt is made before the first has failed. */
export interface HedgeSettings {
  /** Default true. */
  readonly enabled?: boolean | undefined;
  /** How long the attempt before is waited for, in ms, or as long as 95 of 100 take. Default `p95`. */
  readonly after?: number | 'p95' | undefined;
}

/** When calls are no longer sent. */
export interface BreakerSettings {
  /** `auto` goes by what is observed; `open` refuses all calls, `closed` none. Default `auto`. */
  readonly mode?: 'auto' | 'open' | 'closed' | undefined;
  /** So many failed calls in a row open it. Default 20. */
  readonly consecutive_failures?: number | undefined;
  /** Calls are refused, by chance, as soon as there are more than so many for each one that was answered, over 10 s. Default 2. */
  readonly k?: number | undefined;
}

/** How much this process calls a method at most. */
export interface RateSettings {
  /** Calls that begin in a second, on average; 0 means no limit. Default 0. */
  readonly per_second?: number | undefined;
  /** How many may begin at once. Default: as many as in a second, but 1 at least. */
  readonly burst?: number | undefined;
  /** Whether a call that is too many waits for its turn, within its deadline, instead of failing. Default false. */
  readonly wait?: boolean | undefined;
  /** How many wait at most. Default 1,000. */
  readonly max_waiting?: number | undefined;
}

/** How many attempts besides the first ones (retries, hedges) all methods of a contract may make together. */
export interface BudgetSettings {
  /** For each call. Default 0.2. */
  readonly ratio?: number | undefined;
  /** A second, besides. Default 3. */
  readonly per_second?: number | undefined;
}

/** When a client takes an instance out of rotation, and for how long. */
export interface EjectionSettings {
  /** Default true. False lets those that are out return at once. */
  readonly enabled?: boolean | undefined;
  /** So many failures in a row, more where others fail as well. Default 5. */
  readonly consecutive_failures?: number | undefined;
  /** Slow is what takes so many times as long as is typical for its method … Default 3. */
  readonly slow_factor?: number | undefined;
  /** … and so many ms more. Default 20. */
  readonly slow_by?: number | undefined;
  /** How long an instance may say nothing while others answer, in ms. Default 500. */
  readonly silent?: number | undefined;
  /** How long it is out the first time, in ms; the second time twice as long, and so on. Default 1,000. */
  readonly base?: number | undefined;
  /** How long it is out at most, in ms. Default 30,000. */
  readonly max?: number | undefined;
}

/** How a method is called, as a contract or a live setting says it. What is absent is as a less specific place says. */
export interface MethodPolicySettings {
  readonly retry?: RetrySettings | undefined;
  readonly hedge?: HedgeSettings | undefined;
  readonly breaker?: BreakerSettings | undefined;
  /**
   * The longest one attempt may take, in ms: a unary call, or a stream until its first response. `auto` (default): half of the time
   * that the call has, where that is far beyond what calls of the method take and it may be repeated; else none.
   */
  readonly attempt_timeout?: number | 'auto' | 'none' | undefined;
  readonly rate?: RateSettings | undefined;
  /** Of a whole contract: heeded for `*` and contracts only. */
  readonly budget?: BudgetSettings | undefined;
  /** Of a whole contract, and live only: heeded for `*` and contracts. */
  readonly ejection?: EjectionSettings | undefined;
}

/**
 * How methods are called: by method (`account.v1.AccountService/GetAccount`), for all methods of a contract
 * (`account.v1.AccountService`), for all contracts (`*`). Field by field, the most specific that says something wins.
 */
export type CallPolicySettings = Readonly<Record<string, MethodPolicySettings>>;

type Whole<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** How a method is called, everything said. */
export interface MethodPolicy {
  readonly retry: Whole<RetrySettings>;
  readonly hedge: Whole<HedgeSettings>;
  readonly breaker: Whole<BreakerSettings>;
  readonly attempt_timeout: number | 'auto' | 'none';
  readonly rate: Whole<Omit<RateSettings, 'burst'>> & { readonly burst?: number };
}

/** How many attempts besides the first ones there may be, everything said. */
export type Budget = Whole<BudgetSettings>;

/** How methods are called of which nobody says anything. */
export const DEFAULT_POLICY: MethodPolicy & { readonly budget: Budget } = {
  retry: { attempts: 3, backoff: 50, max_backoff: 1_000 },
  hedge: { enabled: true, after: 'p95' },
  // After so many failures in a row it is no chance any more; and a developer's five calls never come so far.
  breaker: { mode: 'auto', consecutive_failures: 20, k: 2 },
  attempt_timeout: 'auto',
  rate: { per_second: 0, wait: false, max_waiting: 1_000 },
  // After Finagle and linkerd.
  budget: { ratio: 0.2, per_second: 3 },
};

/** Later ones win, field by field; an absent or undefined field says nothing. */
function merged<T extends object>(first: T, others: readonly (Partial<T> | undefined)[]): T {
  const result = { ...first } as Record<string, unknown>;
  for (const other of others) {
    for (const [name, value] of Object.entries(other ?? {})) if (value !== undefined) result[name] = value;
  }
  return result as T;
}

/** What several places say together: later ones win, field by field. */
export function mergedSettings(layers: readonly (MethodPolicySettings | undefined)[]): MethodPolicySettings {
  const part = <K extends 'retry' | 'hedge' | 'breaker' | 'rate' | 'budget' | 'ejection'>(name: K): MethodPolicySettings[K] =>
    merged({} as NonNullable<MethodPolicySettings[K]>, layers.map((layer) => layer?.[name]));
  return {
    retry: part('retry'),
    hedge: part('hedge'),
    breaker: part('breaker'),
    attempt_timeout: layers.findLast((layer) => layer?.attempt_timeout !== undefined)?.attempt_timeout,
    rate: part('rate'),
    budget: part('budget'),
    ejection: part('ejection'),
  };
}

const own = (settings: CallPolicySettings | undefined, key: string): MethodPolicySettings | undefined =>
  settings && Object.hasOwn(settings, key) ? settings[key] : undefined;

/** How a method is called: default ← its contract's options ← live `*` ← live contract ← live method. */
export function resolvePolicy(contract: string, method: string, options: MethodPolicySettings, live: CallPolicySettings | undefined): MethodPolicy {
  return mergedSettings([DEFAULT_POLICY, options, own(live, '*'), own(live, contract), own(live, `${contract}/${method}`)]) as MethodPolicy;
}

/** The budget of a contract: default ← live `*` ← live contract. */
export function resolveBudget(contract: string, live: CallPolicySettings | undefined): Budget {
  return mergedSettings([DEFAULT_POLICY, own(live, '*'), own(live, contract)]).budget as Budget;
}

/** What is said of the ejection of instances of a contract: live `*` ← live contract. */
export function resolveEjection(contract: string, live: CallPolicySettings | undefined): EjectionSettings {
  return mergedSettings([own(live, '*'), own(live, contract)]).ejection ?? {};
}
