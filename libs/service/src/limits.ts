import { sleep, type Logger } from '@talaria/base';

/** How long each part of a stop may take, in ms. Together they stay below the 8 s that a stop may take. */
export const STOP_MS = {
  /** To take the instance out of the registry. */
  leave: 1_000,
  /**
   * After the instance has left the registry and before it refuses calls: clients hear of the change only then, over a
   * watch, and those that have not yet heard still send calls here. etcd took up to 4 ms in measurements; 100 ms is ample.
   */
  pause: 100,
  /** For calls in flight. */
  drain: 5_000,
  workers: 800,
  capability: 1_000,
  /** To end connections. */
  close: 500,
  /** To send what telemetry still holds. */
  flush: 500,
  /** After this each part that is left gets a tenth of a second at most. */
  total: 6_800,
} as const;

/** Turns of the event loop in which what has arrived during the pause is read, also when this process itself was held up. */
const READING_TURNS = 3;

/** Waits until clients know that they should not call here any more, or until the signal aborts. Never rejects. */
export async function untilClientsKnow(signal?: AbortSignal): Promise<void> {
  await sleep(STOP_MS.pause, { signal }).catch(() => {});
  for (let turn = 0; turn < READING_TURNS && !signal?.aborted; turn++) await new Promise(setImmediate);
}

/** Waits for `work`, but no longer than `limitMs`: then, or when it fails, a line is logged and the stop goes on. */
export async function within(limitMs: number, what: string, log: Logger, work: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.warn(`${what} took longer than ${Math.round(limitMs)} ms, going on without it`);
      resolve();
    }, limitMs);
  });
  try {
    await Promise.race([(async () => work())(), limit]);
  } catch (error) {
    log.error(`${what} failed`, { err: error });
  } finally {
    clearTimeout(timer);
  }
}
