import { sleep, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import pg from 'pg';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const CONNECT_MS = 5_000;

/** Hears notifications. */
export interface Listener {
  stop(): Promise<void>;
}

/**
 * Listens on a channel, on a connection of its own that comes back by itself. Notifications are hints: they are lost while
 * there is no connection, so `onNotification` is called without a payload when there is one again.
 */
export function startListener(options: { readonly url: string; readonly channel: string; readonly log: Logger; readonly onNotification: (payload: string | undefined) => void }): Listener {
  const { url, channel, log, onNotification } = options;
  const stopping = new AbortController();

  async function listen(): Promise<void> {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS, keepAlive: true });
    const ended = new Promise<void>((resolve) => void client.once('end', resolve));
    const stop = (): void => void client.end().catch(() => {});
    client.on('error', () => {});
    client.on('notification', ({ payload }) => onNotification(payload));
    stopping.signal.addEventListener('abort', stop, { once: true });
    try {
      await client.connect();
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      onNotification(undefined);
      await ended;
    } finally {
      stopping.signal.removeEventListener('abort', stop);
      await client.end().catch(() => {});
    }
  }

  async function run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      try {
        await listen();
      } catch (error) {
        log.debug('cannot listen for notifications, polling meanwhile', { err: error });
      }
      pause = performance.now() - startedAt > LONGEST_PAUSE_MS ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
      await sleep(pause, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = detached(run);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
