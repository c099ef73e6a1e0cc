import type { ClientHttp2Session } from 'node:http2';
import { detached } from '@talaria/context';
import type { Keepalive } from '../transport.ts';

/** How often is looked for an answer while one is due, in ms: what this process was held up shows in the difference. */
const TICK_MS = 100;
/** A tick that took longer was late. Timers of a machine that is not busy are off by a few ms. */
const LATE_MS = 125;

/** Keeps an eye on a session that has calls. */
export interface KeepaliveWatch {
  /** A call begins. */
  poke(): void;
  stop(): void;
}

/**
 * Pings the peer while calls are made, and calls `onDead` once when it says nothing any more: no answer, and not a byte of
 * anything else either, for `timeoutMs`. It counts ticks of a timer. A tick that came late says that this process was held up (by
 * its own event loop, by a busy machine which the peer may be on as well, or since it was stopped), so it counts for less: one that
 * took twice as long, half as much. After GOAWAY a peer is left in peace.
 */
export function keepAlive(session: ClientHttp2Session, { intervalMs, timeoutMs }: Keepalive, busy: () => boolean, onDead: () => void): KeepaliveWatch {
  let timer: NodeJS.Timeout | undefined;
  let begun = false;
  let stopped = false;
  let bytesRead = 0;
  let silentMs = 0;
  let tickedAt = 0;

  const after = (ms: number, next: () => void): void => {
    timer = detached(() => setTimeout(next, ms)).unref();
  };
  /** Nothing is to be asked any more. */
  const over = (): boolean => stopped || session.closed || session.destroyed;
  const listen = (): void => {
    if (over()) return;
    const now = performance.now();
    const took = now - tickedAt;
    tickedAt = now;
    const { bytesRead: read } = session.socket;
    if (read === bytesRead) silentMs += took <= LATE_MS ? took : (TICK_MS * TICK_MS) / took;
    else silentMs = 0;
    bytesRead = read;
    if (silentMs < timeoutMs) after(TICK_MS, listen);
    else onDead();
  };
  const onAnswer = (error: Error | null): void => {
    if (error || over()) return;
    clearTimeout(timer);
    after(intervalMs, ping);
  };
  const ping = (): void => {
    timer = undefined;
    if (over() || (!begun && !busy())) return;
    begun = false;
    ({ bytesRead } = session.socket);
    silentMs = 0;
    tickedAt = performance.now();
    after(TICK_MS, listen);
    session.ping(onAnswer);
  };

  return {
    poke() {
      begun = true;
      if (!timer && !stopped) after(intervalMs, ping);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
