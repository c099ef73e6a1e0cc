import type { Clock, Logger } from '@talaria/base';
import type { Etcd } from '@talaria/etcd';
import { awaitKey, notYet } from './await-key.ts';
import type { ScheduleRuns } from './elections.ts';
import { revisionOf } from './token.ts';
import { watchKeys } from './watched-keys.ts';

/** After a request that failed, in ms. */
const RETRY_MS = 500;

/** What they are made of. */
export interface EtcdRunsOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  readonly clock: Clock;
  readonly instance: string;
  /** What the keys of the elections begin with. */
  readonly elections: string;
  /** What the keys of the schedules begin with. */
  readonly schedules: string;
  /** Ends the watch. */
  readonly closing: AbortSignal;
}

/**
 * Runs in etcd: `<schedule>/ran`, on a lease that lasts for as long as the last run counts. So etcd's own clock measures it, and
 * no instance compares its clock with another's.
 */
export function etcdRuns({ etcd, log, clock, instance, elections, schedules, closing }: EtcdRunsOptions): ScheduleRuns {
  const watched = watchKeys(etcd, schedules, log);
  closing.addEventListener('abort', () => watched.close(), { once: true });
  const keyOf = (schedule: string): string => `${schedules}${schedule}/ran`;
  return {
    due(schedule, signal) {
      const key = keyOf(schedule);
      return awaitKey<undefined>(watched, key, { clock, signal }, () =>
        etcd.get(key).then(
          (found) => (found ? notYet : { found: undefined }),
          (error: unknown) => {
            log.debug('whether a schedule is due could not be looked up, trying again', { schedule, reason: (error as Error).message });
            return { againInMs: RETRY_MS };
          },
        ),
      );
    },
    async ran(schedule, { token }, ms) {
      if (ms <= 0) return;
      const { id } = await etcd.leases.grant(Math.ceil(ms / 1000));
      const value = JSON.stringify({ instance, at: new Date().toISOString() });
      const { succeeded } = await etcd.transaction({ compare: [{ key: `${elections}${schedule}`, modRevision: revisionOf(token) }], success: [{ put: keyOf(schedule), value, lease: id }] });
      if (succeeded) return;
      await etcd.leases.revoke(id).catch(() => {});
      throw new Error(`The schedule ${schedule} is another instance's by now.`);
    },
  };
}
