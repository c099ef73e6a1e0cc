/** Who makes calls that are not authenticated yet, or never will be: one for all of them. */
export const UNVERIFIED = 'unverified';

/** What one caller has in flight. */
export interface CallerLoad {
  /** Such as `service.webhook`. */
  readonly name: string;
  /** Calls in flight. */
  inFlight: number;
  /** Those of them that are critical. */
  critical: number;
  /** Calls admitted since the process began. */
  admitted: number;
  /** Calls refused since the process began. */
  refused: number;
  /** Whether it was refused anything since the shares were last made: then it wants more than it has. */
  wants: boolean;
}

/** The callers of a server, and how much of it is whose. */
export interface Callers {
  /** The caller of a name. */
  of(name: string): CallerLoad;
  /** Shares `slots` out anew: what nobody wants goes to those who want more. */
  share(slots: number): void;
  /** The most calls in flight that are a caller's by right; `Infinity` while there is one caller only. */
  readonly fairShare: number;
  /** Those with most calls in flight first. */
  top(count: number): readonly CallerLoad[];
}

/** Remembers up to `most` callers (default 1,000); those who are beyond that are one caller together. */
export function createCallers(most = 1_000): Callers {
  const callers = new Map<string, CallerLoad>();
  const rest = newCaller('others');
  let fairShare = Infinity;
  let last: CallerLoad | undefined;

  const forgetIdle = (): void => {
    for (const [name, { inFlight }] of callers) if (inFlight === 0) callers.delete(name);
    last = undefined;
  };

  return {
    of(name) {
      if (last?.name === name) return last;
      let caller = callers.get(name);
      if (!caller) {
        if (callers.size >= most) forgetIdle();
        if (callers.size >= most) return rest;
        caller = newCaller(name);
        callers.set(name, caller);
      }
      return (last = caller);
    },
    share(slots) {
      const active = [...callers.values(), rest].filter(({ inFlight, wants }) => inFlight > 0 || wants);
      // Who was refused would take anything; who was not has what it wants.
      const wanted = active.map(({ inFlight, wants }) => (wants ? Infinity : inFlight)).sort((a, b) => a - b);
      for (const caller of active) caller.wants = false;
      fairShare = active.length < 2 ? Infinity : level(wanted, slots);
    },
    get fairShare() {
      return fairShare;
    },
    top: (count) => [...callers.values(), ...(rest.admitted + rest.refused > 0 ? [rest] : [])].sort((a, b) => b.inFlight - a.inFlight || b.admitted - a.admitted).slice(0, count),
  };
}

function newCaller(name: string): CallerLoad {
  return { name, inFlight: 0, critical: 0, admitted: 0, refused: 0, wants: false };
}

/** How high water stands in vessels of the sizes `wanted` (ascending) if there is so much of it: max-min fairness. */
function level(wanted: readonly number[], slots: number): number {
  let left = slots;
  for (const [at, want] of wanted.entries()) {
    const each = left / (wanted.length - at);
    if (want >= each) return each;
    left -= want;
  }
  return Infinity;
}
