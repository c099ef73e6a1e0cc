import { fixedSetting, sleep, systemClock, type Clock, type Leadership } from '@talaria/base';
import { checkElectionName, fenced, type ScheduleRuns, type ServiceElections } from './elections.ts';
import { epochOf, nextEpoch, tokenOf } from './token.ts';

/** Elections within this process. */
export interface MemoryElections {
  /** Those of one instance of a service: what each answers is another candidate, and closing it leaves the others alone. */
  of(service: string): ServiceElections;
  /** Ends the leadership of whoever leads, as an etcd that loses its data would; for tests. Answers whether somebody did. */
  depose(service: string, name: string): boolean;
}

interface Seat {
  epoch: bigint;
  /** Ends the leadership that there is. */
  end: ((reason: string) => void) | undefined;
  readonly waiting: Set<() => void>;
}

/** Elections in memory, for tests and for platforms that are one process. `clock`: what runs and epochs are measured by; default the time of this machine. */
export function memoryElections({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}): MemoryElections {
  const seats = new Map<string, Seat>();
  const countsUntil = new Map<string, number>();
  const seatOf = (id: string): Seat => {
    const seat = seats.get(id) ?? { epoch: 0n, end: undefined, waiting: new Set() };
    seats.set(id, seat);
    return seat;
  };

  const sit = (id: string, seat: Seat, onEnd: () => void): Leadership => {
    const lost = new AbortController();
    seat.epoch = nextEpoch(seat.epoch, 0n, clock.now());
    const token = tokenOf(seat.epoch, 0n);
    const end = (reason: string): void => {
      if (lost.signal.aborted) return;
      seat.end = undefined;
      lost.abort(fenced(id, reason));
      onEnd();
      for (const wake of [...seat.waiting]) wake();
    };
    seat.end = end;
    return {
      name: `memory/${id}`,
      token,
      lost: lost.signal,
      isHeld: () => !lost.signal.aborted,
      refused(seen) {
        if (seen <= token || lost.signal.aborted) return;
        if (epochOf(seen) > seat.epoch) seat.epoch = epochOf(seen);
        end('storage has seen a later leader.');
      },
      resign: async () => end('it was resigned.'),
    };
  };

  const runsOf = (service: string): ScheduleRuns => ({
    async due(schedule, signal) {
      signal.throwIfAborted();
      for (let left = 1; left > 0; ) {
        left = (countsUntil.get(`${service}/${schedule}`) ?? -Infinity) - clock.monotonic();
        if (left > 0) await sleep(left, { clock, signal });
      }
    },
    async ran(schedule, leadership, ms) {
      if (!leadership.isHeld()) throw new Error(`The schedule ${schedule} is another instance's by now.`);
      countsUntil.set(`${service}/${schedule}`, clock.monotonic() + ms);
    },
  });

  return {
    of(service) {
      const closing = new AbortController();
      const mine = new Set<(reason: string) => void>();
      return {
        async campaign(name, signal) {
          checkElectionName(name);
          const id = `${service}/${name}`;
          const seat = seatOf(id);
          const until = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
          for (;;) {
            until.throwIfAborted();
            if (!seat.end) break;
            await vacated(seat, until);
          }
          const leadership = sit(id, seat, () => void (end && mine.delete(end)));
          const { end } = seat;
          if (end) mine.add(end);
          return leadership;
        },
        away: fixedSetting(false),
        runs: runsOf(service),
        async close() {
          closing.abort(new Error('The elections are closed.'));
          for (const end of [...mine]) end('the elections are closed.');
        },
      };
    },
    depose(service, name) {
      const end = seats.get(`${service}/${name}`)?.end;
      end?.('it was deposed.');
      return end !== undefined;
    },
  };
}

/** Resolves when the seat may be free, or the signal aborts. */
function vacated({ waiting }: Seat, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      waiting.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    waiting.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
