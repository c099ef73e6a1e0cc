import { sleep, systemClock, type Clock } from '@talaria/base';
import { rateLimited } from '@talaria/errors';
import type { PolicyCall } from '@talaria/rpc';
import { tokenBucket } from '../rate/token-bucket.ts';
import type { MethodPolicy } from './policy-settings.ts';

/** Lets so many calls of one method begin as its policy says. */
export interface ClientRate {
  /** Undefined if the call may begin; resolves when it may. Throws `rate_limited.client`; rejects with the reason of the call's signal. */
  enter(call: PolicyCall): undefined | Promise<void>;
}

/** Makes the limit of one method; undefined where there is none. */
export function clientRate({ per_second: perSecond, burst, wait, max_waiting: maxWaiting }: MethodPolicy['rate'], clock: Clock): ClientRate | undefined {
  if (perSecond <= 0) return undefined;
  const bucket = tokenBucket({ perSecond, burst, clock });
  let waiting = 0;

  const refuse = ({ contract, name }: PolicyCall['method'], why: string, retryAfterMs: number): Error =>
    rateLimited('client', `This process makes no more than ${perSecond} calls of ${contract}/${name} a second${why}: call it less often, or raise the rate in call.policies`, {
      params: { contract, method: name },
      retryAfterMs: Math.ceil(retryAfterMs),
    });

  const turn = async (ms: number, { options: { signal, clock: callClock } }: PolicyCall): Promise<void> => {
    waiting++;
    try {
      await sleep(ms, { clock: callClock ?? clock, signal });
    } catch (error) {
      bucket.giveBack();
      throw error;
    } finally {
      waiting--;
    }
  };

  return {
    enter(call) {
      const { method, options } = call;
      if (!wait) {
        const taken = bucket.take();
        if (taken === true) return undefined;
        throw refuse(method, '', taken);
      }
      const { deadline = Infinity, clock: callClock = systemClock } = options;
      const ms = bucket.reserve(1, waiting >= maxWaiting ? 0 : Math.max(0, deadline - callClock.monotonic()));
      if (ms === undefined) throw refuse(method, waiting >= maxWaiting ? `, and ${waiting} wait for their turn` : ', and the turn of this one comes after its deadline', 1000 / perSecond);
      return ms === 0 ? undefined : turn(ms, call);
    },
  };
}
