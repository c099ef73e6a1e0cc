import { type ServerResponse } from 'node:http';
import { fixedSetting, systemClock, type Clock, type LiveSetting, type Logger } from '@talaria/base';
import { unavailable } from '@talaria/errors';

/** A value, or a setting that says at any moment what it is. */
export type Live<T> = T | LiveSetting<T>;

/** What bounds requests. Where a setting says it, it may change at any moment and holds for requests from then on. */
export interface GatewayLimits {
  /** How long a call may take, in ms. Default 10,000. */
  readonly deadlineMs?: Live<number> | undefined;
  /** How long a call may take whose method streams its answers, in ms. Default 300,000. */
  readonly streamDeadlineMs?: Live<number> | undefined;
  /** The greatest body, in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: Live<number> | undefined;
  /** How many requests may be under way at once; one more is answered 503 with `Retry-After`. Default: as many as come. */
  readonly maxInFlight?: Live<number> | undefined;
}

/** `GatewayLimits` with nothing left out. */
export type LimitSettings = { readonly [K in keyof GatewayLimits]-?: LiveSetting<number> };

/** A setting that says `given`, or `otherwise` where nothing is given. */
export function liveOf(given: Live<number> | undefined, otherwise: number): LiveSetting<number> {
  return typeof given === 'object' ? given : fixedSetting(given ?? otherwise);
}

/** Fills in the defaults. */
export function limitSettings({ deadlineMs, streamDeadlineMs, maxBodyBytes, maxInFlight }: GatewayLimits): LimitSettings {
  return {
    deadlineMs: liveOf(deadlineMs, 10_000),
    streamDeadlineMs: liveOf(streamDeadlineMs, 300_000),
    maxBodyBytes: liveOf(maxBodyBytes, 1024 * 1024),
    maxInFlight: liveOf(maxInFlight, Infinity),
  };
}

/** A client that was refused for want of room may come again after this, in ms. */
const AGAIN_MS = 1_000;
/** A gateway that is full says so this often, in ms, and not for every request. */
const SAY_EVERY_MS = 10_000;

/** The code of requests that found no room. */
export const BUSY = 'unavailable.busy';

/** Makes the function that lets a request in until its answer is over. That throws `unavailable.busy` when as many are in as may be. */
export function admission(most: LiveSetting<number>, log: Logger, clock: Pick<Clock, 'monotonic'> = systemClock): (res: ServerResponse) => void {
  let inFlight = 0;
  let refused = 0;
  let saidAt = -Infinity;
  const refuse = (limit: number): never => {
    refused++;
    if (clock.monotonic() - saidAt >= SAY_EVERY_MS) {
      log.warn('requests are refused with 503: as many are under way as may be', { limit, refused });
      saidAt = clock.monotonic();
      refused = 0;
    }
    throw unavailable('busy', 'There are more requests under way than the gateway takes: try again.', { retryAfterMs: AGAIN_MS });
  };
  return (res) => {
    const limit = most.get();
    if (inFlight >= limit) refuse(limit);
    // Nothing will tell that it is over.
    if (res.closed) return;
    inFlight++;
    res.on('close', () => inFlight--);
  };
}
