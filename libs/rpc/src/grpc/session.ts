import { constants, type ClientHttp2Session } from 'node:http2';
import type { Keepalive } from '../transport.ts';
import { keepAlive } from './keepalive.ts';

/** How many calls a socket is good for, whatever its peer allows: beyond that they queue in its one window of flow control. */
const CAPACITY = 100;
/** How long a peer may take to close a session that this side has closed, in ms. */
const CLOSE_MS = 1_000;

/** What a connection has to do with its sessions. */
export interface SessionHost {
  readonly keepalive: Keepalive | undefined;
  /** Whether calls are in flight. */
  busy(): boolean;
  /** The peer says that it is going away. */
  leaving(): void;
  /** The peer says nothing any more: the session is about to be ended. */
  dead(): void;
}

/** The HTTP/2 session that a connection has now. */
export interface PeerSession {
  /** When it was opened, in ms of `performance.now()`. */
  readonly openedAt: number;
  /** How many calls it is good for at once. */
  readonly capacity: number;
  /** A call begins on it. */
  poke(): void;
  /** Its calls are over, and no more come. */
  release(): void;
}

/** Watches a session until it is closed. */
export function peerSession(session: ClientHttp2Session, host: SessionHost): PeerSession {
  const onDead = (): void => {
    host.dead();
    session.destroy();
  };
  const watch = host.keepalive && keepAlive(session, host.keepalive, () => host.busy(), onDead);
  const capacityOf = ({ maxConcurrentStreams = CAPACITY }): number => Math.max(1, Math.min(CAPACITY, maxConcurrentStreams));
  let capacity = capacityOf(session.remoteSettings);
  session.on('remoteSettings', (settings) => (capacity = capacityOf(settings)));
  session.once('goaway', (code) => {
    watch?.stop();
    if (code === constants.NGHTTP2_NO_ERROR) host.leaving();
  });
  session.once('close', () => watch?.stop());
  return {
    openedAt: performance.now(),
    get capacity() {
      return capacity;
    },
    poke: () => watch?.poke(),
    release() {
      watch?.stop();
      if (session.destroyed) return;
      const timer = setTimeout(() => session.destroy(), CLOSE_MS).unref();
      session.once('close', () => clearTimeout(timer));
    },
  };
}
