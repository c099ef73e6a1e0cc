import { detached } from '@talaria/context';
import { Status } from 'nice-grpc-common';
import { TransportError } from './transport-error.ts';
import type { Connection, ConnectionState } from './transport.ts';

/** The limits of a connection that may have several sockets. */
export interface PooledLimits {
  /** How many calls may be in flight on a socket before another one is opened. */
  readonly maxCalls: number;
  /** How many sockets there may be. One that is about to take the place of an old one comes on top. */
  readonly maxSockets: number;
  /** How long a socket may be without a call, in ms. */
  readonly idleMs: number;
  /** How old a socket may become, in ms; ± 10 %, so that those of many processes do not all come due at once. */
  readonly maxAgeMs: number;
}

/** A connection that opens sockets as they are needed. */
export interface PooledConnection extends Connection {
  readonly connections: number;
  /** Closes what is idle and replaces what is too old. To be called every now and then. */
  sweep(): void;
  /** Replaces all sockets, without failing a call. */
  renew(): void;
}

/** One socket. */
interface Member {
  readonly connection: Connection;
  /** Calls that it was given. */
  calls: number;
  /** What `calls` was when it was last swept. */
  seen: number;
  idleSince: number;
  expiresAt: number;
  /** The old one whose place it takes when it is ready. */
  replaces: Member | undefined;
}

/** The state of the whole is the best of its sockets. */
const ORDER: readonly ConnectionState[] = ['ready', 'connecting', 'idle', 'failed', 'draining', 'closed'];

/**
 * A connection to one address over as many sockets as it takes: `open` makes each. It begins with one; a call goes to the one with
 * the fewest in flight, and where that has enough of them another one is opened for those that follow, which nobody waits for.
 */
export function pooledConnection(address: string, open: () => Connection, limits: PooledLimits): PooledConnection {
  const members: Member[] = [];
  /** Sockets that take no more calls, and still have some. */
  const retired = new Set<Connection>();
  const listeners = new Set<(state: ConnectionState) => void>();
  let state: ConnectionState = 'idle';
  let closing: Promise<unknown> | undefined;

  const setState = (next: ConnectionState): void => {
    if (next === state || state === 'closed' || (state === 'draining' && next !== 'closed')) return;
    state = next;
    for (const listener of [...listeners]) listener(next);
  };
  const update = (): void => setState(ORDER.find((some) => members.some(({ connection }) => connection.state === some)) ?? 'idle');
  const isReady = ({ connection }: Member): boolean => connection.state === 'ready';
  const limitOf = ({ connection: { capacity } }: Member): number => (capacity === undefined ? Infinity : Math.min(capacity, limits.maxCalls));

  const retire = (member: Member): void => {
    const { connection } = member;
    members.splice(members.indexOf(member), 1);
    retired.add(connection);
    void detached(() => connection.close({ graceMs: Infinity })).finally(() => retired.delete(connection));
  };
  const add = (replaces?: Member): Member => {
    const member: Member = { connection: detached(open), calls: 0, seen: 0, idleSince: performance.now(), expiresAt: Infinity, replaces };
    members.push(member);
    member.connection.onStateChange((now) => {
      if (!members.includes(member)) return;
      if (now === 'ready') {
        if (member.expiresAt > 0) member.expiresAt = performance.now() + limits.maxAgeMs * (0.9 + 0.2 * Math.random());
        for (const other of [...members]) if (other === member.replaces || other.connection.state === 'failed') retire(other);
        member.replaces = undefined;
      } else if (now === 'failed' && members.some(isReady)) retire(member);
      update();
    });
    return member;
  };
  /** Opens another socket ahead of its first call. */
  const extend = (replaces?: Member): void => add(replaces).connection.connect();

  const least = (): Member => {
    let best: Member | undefined;
    let connecting = false;
    for (const member of members) {
      connecting ||= member.connection.state === 'connecting';
      if (!best || (isReady(member) === isReady(best) ? member.connection.inFlight < best.connection.inFlight : isReady(member))) best = member;
    }
    if (!best) return add();
    if (!connecting && isReady(best) && best.connection.inFlight >= limitOf(best) && members.length < limits.maxSockets) extend();
    return best;
  };
  const choose = (): Connection => {
    const [first] = members;
    const chosen = first && members.length === 1 && first.connection.inFlight < limitOf(first) ? first : least();
    chosen.calls++;
    return chosen.connection;
  };
  const closed = (path: string): TransportError => new TransportError(path, Status.UNAVAILABLE, 'The connection is closed', 'never_sent');

  return {
    address,
    get state() {
      // A listener of `inproc` that came back shows in the state of a connection without an event.
      return members.length === 1 && !closing ? (members[0] as Member).connection.state : state;
    },
    get connections() {
      return members.length + retired.size;
    },
    get inFlight() {
      let sum = 0;
      for (const { connection } of members) sum += connection.inFlight;
      if (retired.size > 0) for (const { inFlight } of retired) sum += inFlight;
      return sum;
    },
    connect() {
      if (!closing) (members[0] ?? add()).connection.connect();
    },
    onStateChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    unary(method, request, options) {
      return closing ? Promise.reject(closed(method.path)) : choose().unary(method, request, options);
    },
    stream: (method, requests, options) => ({
      [Symbol.asyncIterator]() {
        // Asked as it begins, which may be later than it was made.
        const from = closing ? undefined : choose();
        return from ? from.stream(method, requests, options)[Symbol.asyncIterator]() : { next: () => Promise.reject(closed(method.path)) };
      },
    }),
    sweep() {
      if (closing) return;
      const now = performance.now();
      for (const member of [...members]) {
        const { connection, calls } = member;
        if (connection.inFlight > 0 || calls !== member.seen) {
          member.seen = calls;
          member.idleSince = now;
          // One that failed is no socket, and has to be tried again and again.
        } else if (now - member.idleSince >= limits.idleMs && connection.state !== 'failed' && connection.state !== 'connecting') retire(member);
        if (now >= member.expiresAt && isReady(member) && members.includes(member) && !members.some(({ replaces }) => replaces === member)) extend(member);
      }
      update();
    },
    renew() {
      for (const member of members) member.expiresAt = 0;
    },
    close({ graceMs = 0 } = {}) {
      const all = [...members.map(({ connection }) => connection), ...retired];
      const done = Promise.all(all.map((connection) => connection.close({ graceMs })));
      setState('draining');
      closing ??= done.then(() => setState('closed'));
      return done.then(() => {});
    },
  };
}
