import { sleep, type Leadership } from '@talaria/base';
import { MONITOR_ELECTION, type InstanceReport } from '@talaria/discovery';
import { instancesOf } from './instances.ts';
import type { MonitorOptions } from './monitor.ts';
import { createPoll } from './poll.ts';

const INTERVAL_MS = 10_000;
/** However often instances come, go and change: the least pause between two polls, in ms. */
const LEAST_PAUSE_MS = 500;
/** After an election that could not be held, in ms. */
const RETRY_MS = 5_000;

/** Monitors whenever it is elected, until `signal` aborts. */
export async function runMonitor(options: MonitorOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const leadership = await options.elections().campaign(MONITOR_ELECTION, signal);
      await lead(options, leadership, signal).finally(() => leadership.resign());
    } catch (error) {
      if (signal.aborted) return;
      options.log.debug('no monitor could be elected, trying again', { reason: (error as Error).message });
      await sleep(RETRY_MS, { signal }).catch(() => {});
    }
  }
}

/** Polls and publishes while it leads. */
async function lead({ log, service, instance, reports, resolver, contracts, clients, intervalMs = INTERVAL_MS, timeoutMs = 2_000 }: MonitorOptions, leadership: Leadership, signal: AbortSignal): Promise<void> {
  const over = AbortSignal.any([signal, leadership.lost]);
  const direct = clients();
  let wake = (): void => {};
  const instances = instancesOf(service, resolver, () => wake());
  let complained = false;
  try {
    const before: readonly InstanceReport[] = await reports().list(service).catch(() => []);
    const poll = createPoll({ service, monitor: instance, clients: direct, timeoutMs }, before);
    while (!over.aborted) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      instances.follow(contracts());
      const known = instances.known();
      if (!known) {
        await Promise.race([woken, pause(RETRY_MS, over)]);
        continue;
      }
      const found = await poll(known, over);
      if (over.aborted) break;
      await reports()
        .publish(service, found, leadership)
        .then(
          () => (complained = false),
          (error: unknown) => {
            // While etcd is away others say so; this is about what it refuses.
            if (!complained && !over.aborted) log.warn(`what the monitor of ${service} has found could not be published, trying again: ${(error as Error).message}`);
            complained = true;
          },
        );
      await pause(LEAST_PAUSE_MS, over);
      await Promise.race([woken, pause(intervalMs - LEAST_PAUSE_MS, over)]);
    }
  } finally {
    instances.close();
    await Promise.all([signal.aborted ? reports().withdraw(service, leadership) : undefined, direct.close()]);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(Math.max(0, ms), { signal }).catch(() => {});
