import { PRIORITY_BAGGAGE, Status, type Admission, type ArrivingCall, type Priority, type ServedMethod, type Ticket } from '@talaria/rpc';
import type { SimulatedTime } from './simulated-time.ts';

/** What one call asks for. */
export interface SimulatedCall {
  readonly caller?: string;
  readonly priority?: Priority | undefined;
  /** How long its client waits, in ms. Default 1,000. */
  readonly timeoutMs?: number;
  readonly method?: ServedMethod;
}

/** What became of calls. */
export interface Outcomes {
  offered: number;
  /** Answered in time. */
  served: number;
  refused: number;
  /** Taken, and not answered in time. */
  late: number;
}

/** How a server works on calls: `finish` when it has. The answer gives a call up. */
export type Work = (finish: () => void) => () => void;

/** A server of so many slots, each of which works `ms` on a call; others wait for their turn inside the handler. */
export function slots(time: SimulatedTime, count: number, ms: () => number): Work {
  let free = count;
  const waiting = new Set<() => void>();
  return (finish) => {
    let over = false;
    const run = (): void => {
      waiting.delete(run);
      free--;
      time.after(ms(), () => {
        free++;
        const [next] = waiting;
        next?.();
        if (!over) finish();
      });
    };
    if (free > 0) run();
    else waiting.add(run);
    return () => {
      over = true;
      waiting.delete(run);
    };
  };
}

/** A handler that waits for something elsewhere, of which there may be any number. */
export function waits(time: SimulatedTime, ms: () => number): Work {
  return (finish) => time.after(ms(), finish);
}

/** A method for calls that name none. */
export const METHOD: ServedMethod = {
  path: '/test.v1.Test/Work',
  requestStream: false,
  responseStream: false,
  async *handler() {},
};

/** Counts what becomes of calls of a server with an admission. `heeds`: its handlers give up what nobody waits for any more. */
export function simulatedServer(time: SimulatedTime, admission: Admission, work: Work, heeds = true): { call(call: SimulatedCall): void; outcomes(which?: string): Outcomes; forget(): void } {
  const all = new Map<string, Outcomes>();
  const of = (which: string): Outcomes => {
    const found = all.get(which) ?? { offered: 0, served: 0, refused: 0, late: 0 };
    all.set(which, found);
    return found;
  };
  return {
    outcomes: (which = 'all') => of(which),
    forget: () => all.clear(),
    call({ caller = 'service.a', priority, timeoutMs = 1_000, method = METHOD }) {
      const count = (what: keyof Outcomes): void => ['all', caller, priority ?? 'none'].forEach((which) => of(which)[what]++);
      const startedAt = time.monotonic();
      const headers = new Map([['x-caller', caller], ...(priority ? [['baggage', `${PRIORITY_BAGGAGE}=${priority}`] as const] : [])]);
      const arriving: ArrivingCall = { path: method.path, method, peer: { address: 'simulated' }, header: (name) => headers.get(name), deadline: startedAt + timeoutMs, clock: time, gone: false };
      count('offered');
      const answer = admission.admit(arriving) as Ticket | { readonly refusal: object };
      if ('refusal' in answer) return count('refused');
      let isOver = false;
      const end = (code: Status, what: 'served' | 'late'): void => {
        if (isOver) return answer.handled?.();
        isOver = true;
        cancel();
        const handling = what === 'late' && !heeds;
        if (!handling) giveUp();
        answer.done({ code, durationMs: time.monotonic() - startedAt, handling });
        count(what);
      };
      const cancel = time.after(timeoutMs, () => end(Status.DEADLINE_EXCEEDED, 'late'));
      const giveUp = work(() => end(Status.OK, 'served'));
    },
  };
}

