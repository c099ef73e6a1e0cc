import { systemClock, type Clock, type LiveSetting } from '@talaria/base';
import { detached } from '@talaria/context';
import { PRIORITIES, priorityInBaggage, Status, type Admission, type ArrivingCall, type Priority, type Refusal, type Ticket } from '@talaria/rpc';
import type { AdmissionState } from './admission-state.ts';
import { createCallers, UNVERIFIED, type CallerLoad } from './callers.ts';
import { concurrencyLimit, type Ending, type LimitBounds } from './concurrency-limit.ts';
import type { ServerLimits } from './limit-settings.ts';
import { methodEntries, type MethodEntry } from './method-entry.ts';
import { isSlowOfLate } from './method-load.ts';
import { refusals, type RefusalReason } from './refusals.ts';
import { hasRoom } from './room.ts';

/** What may change of how many calls may be in flight. */
export interface AdmissionSettings {
  /** Whether calls are refused since too many are in flight. Rates hold anyway. Default true. */
  readonly enabled?: boolean | undefined;
  /** So many may always be in flight. Default 20. */
  readonly min?: number | undefined;
  /** More than so many never may. Default 10,000. */
  readonly max?: number | undefined;
  /** A call is slow that takes so many times as long as usual … Default 1.5. */
  readonly tolerance?: number | undefined;
  /** … and so much longer, in ms. Default 50. */
  readonly slack?: number | undefined;
}

/** How an admission is made. */
export interface AdmissionOptions {
  /** The live setting `server.admission`; the same object until it changes. */
  readonly settings?: LiveSetting<AdmissionSettings> | undefined;
  /** The live setting `server.limits`, which goes before what contracts say; the same object until it changes. */
  readonly limits?: LiveSetting<ServerLimits> | undefined;
  /** Who makes a call, as far as that is known without waiting. Default: nobody is known. */
  readonly caller?: ((call: ArrivingCall) => string | undefined) | undefined;
  /** Contracts whose calls are always taken and never counted, such as health. Default: none. */
  readonly exempt?: ((contract: string) => boolean) | undefined;
  /** Default: the time of this machine. */
  readonly clock?: Clock | undefined;
}

/** An admission that tells of itself. */
export interface AdaptiveAdmission extends Admission {
  admit(call: ArrivingCall): AdmissionTicket | Refusal | Promise<AdmissionTicket | Refusal>;
  /** What it does now. */
  describe(): AdmissionState;
}

/** That a call was admitted. */
export interface AdmissionTicket extends Ticket {
  /** Called when the first response of a stream has been sent: from then on it does not count as in flight. */
  responded(durationMs: number): void;
  /** Called when the handler has come to its end, if that is after the call: until then it counts as in flight. */
  handled(): void;
}

/** The bounds of what nobody sets. */
export const DEFAULT_BOUNDS: LimitBounds = { min: 20, max: 10_000, tolerance: 1.5, slack: 50 };

/** Of a call that is exempt. */
const FREE: AdmissionTicket = { done: () => {}, responded: () => {}, handled: () => {} };

/** The end of these calls says how long such calls take; others fail quickly, or are given up. */
const ANSWERED: ReadonlySet<Status> = new Set([Status.OK, Status.NOT_FOUND, Status.ALREADY_EXISTS, Status.FAILED_PRECONDITION, Status.ABORTED, Status.OUT_OF_RANGE]);
/** Who hangs up so shortly before the deadline, in ms, does so because of it. */
const GRACE_MS = 10;

/** A stream that has not answered for so long, in ms, is one that waits for something to happen, not for its turn. */
const SILENT_MS = 1_000;

/** How many times as long as calls take one must have left, so that what matters more still finds time before its deadline. */
const HEADROOM: Readonly<Record<Priority, number>> = { critical: 1, default: 2, sheddable: 2.5 };

/** What a handler has not finished so long after its call was over, in ms, is taken for something that only waits. */
const ABANDONED_MS = 5_000;

/** One in so many calls that seem to have too little time is taken, so that it is noticed when calls are quick again. */
const TRY = 10;

/**
 * Decides which calls a server takes: how many at once (which it finds out by itself), of which priority, by whom, how many a second. Every
 * refusal says that the call was not executed, and after how long it may be made again.
 */
export function admission(options: AdmissionOptions = {}): AdaptiveAdmission {
  const { settings, limits, caller: callerOf, clock = systemClock } = options;
  let seen: AdmissionSettings | undefined;
  let bounds = DEFAULT_BOUNDS;
  let enabled = true;
  const boundsNow = (): LimitBounds => {
    const now = settings?.get();
    if (now !== seen) {
      seen = now;
      const { enabled: on = true, ...others } = now ?? {};
      enabled = on;
      bounds = { ...DEFAULT_BOUNDS, ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)) };
    }
    return bounds;
  };
  const callers = createCallers();
  const limit = concurrencyLimit({
    bounds: boundsNow,
    clock,
    onTick() {
      callers.share(limit.isShort ? limit.limit : Infinity);
      for (const call of silent) if (!call.grewOld()) break;
      for (const call of abandoned) if (!call.grewOld()) break;
    },
  });
  /** Streams that have not begun to answer, in the order of their coming. */
  const silent = new Set<Running>();
  /** Calls that are over, and on which handlers still work, in the order of their ends. */
  const abandoned = new Set<Running>();
  const entryOf = methodEntries({ limits: () => limits?.get(), exempt: options.exempt ?? (() => false), clock });
  const refusal = refusals();

  const counts = Object.fromEntries(PRIORITIES.map((priority) => [priority, { admitted: 0, refused: 0 }])) as Record<Priority, { admitted: number; refused: number }>;
  const refusedBy: Partial<Record<RefusalReason, number>> = {};
  let critical = 0;
  let streams = 0;
  let queued = 0;
  let tried = 0;
  let rttMs: number | undefined;

  /** Why a call does not fit in; undefined if it does. */
  const misfit = (call: ArrivingCall, { load }: MethodEntry, caller: CallerLoad, priority: Priority): RefusalReason | undefined => {
    const { min } = boundsNow();
    const { inFlight } = limit;
    if (inFlight < min || !enabled) return undefined;
    if (inFlight >= limit.limit && !hasRoom(priority, caller, callers, { all: inFlight, critical, limit: limit.limit, crest: limit.crest })) return 'overload';
    if (call.deadline === undefined || !isSlowOfLate(load, bounds.tolerance)) return undefined;
    const left = call.deadline - (call.clock ?? clock).monotonic();
    return left < limit.expectedMs(load) * HEADROOM[priority] && ++tried % TRY !== 0 ? 'deadline' : undefined;
  };

  const refuse = (reason: RefusalReason, retryMs: number, caller: CallerLoad, priority: Priority): Refusal => {
    refusedBy[reason] = (refusedBy[reason] ?? 0) + 1;
    counts[priority].refused++;
    caller.refused++;
    return refusal(reason, retryMs);
  };

  const refuseMisfit = (reason: RefusalReason, caller: CallerLoad, priority: Priority): Refusal => {
    limit.refused();
    caller.wants = true;
    return refuse(reason, limit.retryMs, caller, priority);
  };

  /** A call that runs. A class, since there is one for each call. */
  class Running implements AdmissionTicket {
    readonly #method: MethodEntry;
    readonly #caller: CallerLoad;
    readonly #isCritical: boolean;
    readonly load: MethodEntry['load'];
    readonly among: number;
    readonly era: number;
    readonly dueTick: number;
    #since: number;
    /** Whether it counts as a call in flight: streams do until their first response. */
    #counts: boolean;
    /** In ms of its own clock. */
    readonly #deadline: number | undefined;
    readonly #clock: Clock;

    constructor(arrived: ArrivingCall, method: MethodEntry, caller: CallerLoad, priority: Priority) {
      this.#deadline = arrived.deadline;
      this.#clock = arrived.clock ?? clock;
      this.#method = method;
      this.#caller = caller;
      this.#isCritical = priority === 'critical';
      this.load = method.load;
      this.among = limit.inFlight;
      this.era = limit.era;
      this.#since = method.isStream ? clock.monotonic() : 0;
      counts[priority].admitted++;
      method.running++;
      caller.admitted++;
      // How long a client takes to send its stream is up to the client.
      this.#counts = !method.served.requestStream;
      this.dueTick = this.#counts ? limit.began(method.load) : 0;
      if (!this.#counts) {
        streams++;
        return;
      }
      caller.inFlight++;
      if (this.#isCritical) {
        critical++;
        caller.critical++;
      }
      if (method.isStream) silent.add(this);
    }

    #leave(durationMs: number, how: Ending): void {
      this.#end(durationMs, how);
      this.#left();
    }

    #left(): void {
      this.#counts = false;
      limit.left(this);
      this.#caller.inFlight--;
      if (this.#isCritical) {
        critical--;
        this.#caller.critical--;
      }
    }

    #end(durationMs: number, how: Ending): void {
      if (this.#method.isStream) silent.delete(this);
      if (how === 'answered') rttMs = rttMs === undefined ? durationMs : rttMs + (durationMs - rttMs) / 16;
      limit.ended(this, durationMs, how);
    }

    responded(durationMs: number): void {
      if (!this.#counts || !this.#method.isStream) return;
      streams++;
      this.#leave(durationMs, 'answered');
    }

    /** Whether it has been silent, or worked on in vain, for so long that it does not count any more. */
    grewOld(): boolean {
      const age = clock.monotonic() - this.#since;
      if (abandoned.has(this)) {
        if (age >= ABANDONED_MS) this.handled();
        return age >= ABANDONED_MS;
      }
      if (age < SILENT_MS) return false;
      streams++;
      this.#leave(0, 'failed');
      return true;
    }

    done({ code, durationMs, handling }: Parameters<Ticket['done']>[0]): void {
      this.#method.running--;
      if (!this.#counts) streams--;
      else if (!handling) this.#leave(durationMs, this.#howItEnded(code));
      else {
        // It goes on taking what others wait for: only its client is gone.
        this.#end(durationMs, this.#howItEnded(code));
        this.#since = clock.monotonic();
        abandoned.add(this);
      }
    }

    handled(): void {
      if (abandoned.delete(this)) this.#left();
    }

    #howItEnded(code: Status): Ending {
      if (code === Status.DEADLINE_EXCEEDED) return 'late';
      if (code !== Status.CANCELLED) return ANSWERED.has(code) ? 'answered' : 'failed';
      // A client that hangs up since its time is over is often quicker than the timer on this side.
      return this.#deadline !== undefined && this.#clock.monotonic() > this.#deadline - GRACE_MS ? 'late' : 'cut';
    }
  }

  const afterAWhile = async (ms: number): Promise<void> => {
    queued++;
    await new Promise<void>((resolve) => {
      detached(() => clock.after(ms, resolve));
    });
    queued--;
  };

  return {
    admit(call) {
      const method = entryOf(call.method);
      if (method.isExempt) return FREE;
      const caller = callers.of(callerOf?.(call) ?? UNVERIFIED);
      const priority = priorityInBaggage(call.header('baggage')) ?? method.priority;
      const reason = misfit(call, method, caller, priority);
      if (reason !== undefined) return refuseMisfit(reason, caller, priority);
      const gates = method.gates();
      if (method.running >= gates.concurrency) return refuse('concurrency', method.load.recentMs, caller, priority);
      if (!gates.hasRates) return new Running(call, method, caller, priority);
      const passage = gates.pass(caller.name, call.deadline === undefined ? Infinity : call.deadline - (call.clock ?? clock).monotonic());
      if (passage === true) return new Running(call, method, caller, priority);
      if ('reason' in passage) return refuse(passage.reason, passage.retryMs, caller, priority);
      return afterAWhile(passage.waitMs).then(() => {
        const late = call.gone ? undefined : misfit(call, method, caller, priority);
        // Others may have come to run meanwhile.
        const isFull = !call.gone && late === undefined && method.running >= gates.concurrency;
        passage.over(!call.gone && late === undefined && !isFull);
        if (late !== undefined) return refuseMisfit(late, caller, priority);
        return isFull ? refuse('concurrency', method.load.recentMs, caller, priority) : new Running(call, method, caller, priority);
      });
    },
    describe() {
      const totals = Object.values(counts);
      return {
        limit: Math.round(limit.limit),
        isShort: limit.isShort,
        inFlight: limit.inFlight,
        streams,
        queued,
        admitted: totals.reduce((sum, { admitted }) => sum + admitted, 0),
        refused: totals.reduce((sum, { refused }) => sum + refused, 0),
        refusedBy: { ...refusedBy },
        priorities: { critical: { ...counts.critical }, default: { ...counts.default }, sheddable: { ...counts.sheddable } },
        callers: callers.top(10).map(({ name, inFlight, admitted, refused }) => ({ name, inFlight, admitted, refused })),
        rttMs,
      };
    },
  };
}
