import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Http2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectionPool, type PoolOptions } from './connection-pool.ts';
import { grpcTransport } from './grpc/grpc-transport.ts';
import { inprocTransport } from './inproc/inproc-transport.ts';
import { pooledConnection } from './pooled-connection.ts';
import { failure, hangingHandler, wire } from './testing/bench.ts';
import { bytes, callAll, KINDS, streamOf, text, wireMethod } from './testing/kinds.ts';
import { until } from './testing/until.ts';
import type { CallHandler, Connection, IncomingCall, Transport, WireMethod } from './transport.ts';

const unary = wireMethod(KINDS[0], 'Unary');
const both = wireMethod(KINDS[3], 'Both');
const HOUR_MS = 3_600_000;

describe('connections of a pool', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const open = async (handlers: readonly (WireMethod & { readonly handler: CallHandler })[], options: PoolOptions = {}, { transport = grpcTransport(), at = 'h2c://127.0.0.1:0', ours = true } = {}) => {
    const listener = await transport.listen(at);
    listener.add('test.Test', handlers);
    const pool = connectionPool([transport], options, 0);
    closing.push(
      () => pool.close(0),
      () => listener.drain(0),
    );
    return { listener, pool, connection: pool.acquire(listener.address, { ours }) };
  };
  /** A handler that says from which socket a call came. */
  const whence = { ...unary, async *handler({ peer, requests }: IncomingCall) {
    for await (const _ of requests) yield bytes(peer.address);
  } };
  const from = async (connection: Connection): Promise<string> => text(await connection.unary(unary, bytes('a'), wire()));
  const statesOf = (connection: Connection): string[] => {
    const states: string[] = [];
    connection.onStateChange((state) => states.push(state));
    return states;
  };

  it('one socket serves calls until it has enough of them; then others are opened, up to the limit, and the least loaded is taken', async () => {
    const hanging = hangingHandler();
    const peers = new Map<string, number>();
    const handler: CallHandler = (call) => {
      peers.set(call.peer.address, (peers.get(call.peer.address) ?? 0) + 1);
      return hanging.handler(call);
    };
    const { connection } = await open([{ ...unary, handler }], { maxCallsPerSocket: 2, maxSockets: 3 });
    const states = statesOf(connection);
    assert.equal(connection.state, 'idle');
    assert.equal(connection.connections, 0);
    const controller = new AbortController();
    const calls: Promise<unknown>[] = [];
    const call = async (count: number): Promise<void> => {
      for (let more = 0; more < count; more++) calls.push(failure(connection.unary(unary, bytes('a'), wire({ signal: controller.signal }))));
      await until(`${calls.length} calls have arrived`, () => hanging.started === calls.length);
    };
    await call(2);
    assert.equal(connection.connections, 1);
    assert.equal(peers.size, 1);
    // Goes where there is a socket, and asks for another.
    await call(1);
    assert.equal(connection.connections, 2);
    const even = (): boolean => peers.size === 3 && Math.max(...peers.values()) - Math.min(...peers.values()) <= 1;
    for (let tries = 0; !even() && tries < 300; tries++) {
      await call(1);
      await pause(5);
    }
    assert.ok(even(), `${[...peers.values()].join()} are not even`);
    await call(6);
    assert.ok(even(), `${[...peers.values()].join()} are not even any more`);
    assert.equal(connection.connections, 3);
    assert.equal(connection.inFlight, calls.length);
    assert.deepEqual(states, ['connecting', 'ready']);
    controller.abort();
    await Promise.all(calls);
    assert.equal(connection.inFlight, 0);
    assert.equal(connection.state, 'ready');
  });

  it("heeds what the peer's settings allow", async () => {
    const server = createServer({ settings: { maxConcurrentStreams: 1 } });
    const sessions = new Set<Http2Session>();
    server.on('session', (session) => sessions.add(session.on('error', () => {})));
    server.on('stream', (stream) => stream.on('error', () => {}));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const pool = connectionPool([grpcTransport()], {}, 0);
    closing.push(
      () => pool.close(0),
      async () => {
        server.close();
        for (const session of sessions) session.destroy();
      },
    );
    const connection = pool.acquire(`h2c://127.0.0.1:${(server.address() as AddressInfo).port}`, { ours: false });
    connection.connect();
    await until('it is ready', () => connection.state === 'ready');
    assert.equal(sessions.size, 1);
    const controller = new AbortController();
    const calls = [1, 2].map(() => failure(connection.unary(unary, bytes('a'), wire({ signal: controller.signal }))));
    await until('there are two sockets for two calls', () => sessions.size === 2);
    controller.abort();
    await Promise.all(calls);
  });

  it('closes what is idle, the first as well, and connects again when it is needed', async () => {
    const hanging = hangingHandler();
    const { connection } = await open([whence, { ...both, handler: hanging.handler }], { idleMs: 40 });
    const states = statesOf(connection);
    const first = await from(connection);
    await until('it is idle', () => connection.state === 'idle' && connection.connections === 0);
    assert.notEqual(await from(connection), first);
    assert.deepEqual(states.slice(0, 5), ['connecting', 'ready', 'idle', 'connecting', 'ready']);
    // A call in flight keeps its socket.
    const controller = new AbortController();
    const call = failure(callAll(connection, both, [bytes('a')], wire({ signal: controller.signal })));
    await until('the handler runs', () => hanging.started === 1);
    await pause(200);
    assert.equal(connection.connections, 1);
    assert.equal(connection.state, 'ready');
    controller.abort();
    await call;
    await until('it is idle again', () => connection.connections === 0);
  });

  it('replaces what is too old: a fresh socket first, and the old one goes when its calls are over', async () => {
    const { connection } = await open([whence, { ...both, handler: (call) => call.requests }], { maxAgeMs: 60, idleMs: HOUR_MS });
    const states = statesOf(connection);
    const gate = Promise.withResolvers<void>();
    const requests = (async function* () {
      yield bytes('one');
      await gate.promise;
      yield bytes('two');
    })();
    let told = 0;
    const responses = connection.stream(both, requests, wire({ onLeaving: () => told++ }))[Symbol.asyncIterator]();
    assert.equal(text((await responses.next()).value as Uint8Array), 'one');
    const seen = new Set<string>();
    for (let tries = 0; seen.size < 3 && tries < 10_000; tries++) seen.add(await from(connection));
    assert.ok(seen.size >= 3, 'new calls go to new sockets');
    assert.ok((connection.connections ?? 0) >= 2);
    gate.resolve();
    assert.equal(text((await responses.next()).value as Uint8Array), 'two');
    assert.equal((await responses.next()).done, true);
    assert.equal(told, 0, 'a stream on an old socket may go on');
    assert.deepEqual(states, ['connecting', 'ready']);
  });

  it('a listener ends sockets that are too old as well, without failing a call', async () => {
    const transport = grpcTransport();
    const listener = await transport.listen('h2c://127.0.0.1:0', { maxConnectionAgeMs: 50 });
    listener.add('test.Test', [whence, { ...both, handler: (call) => call.requests }]);
    const connection = transport.connect(listener.address);
    closing.push(
      () => connection.close(),
      () => listener.drain(0),
    );
    const leaving = Promise.withResolvers<void>();
    const requests = (async function* () {
      yield bytes('one');
      await leaving.promise;
      yield bytes('two');
    })();
    const stream = callAll(connection, both, requests, wire({ onLeaving: () => leaving.resolve() }));
    const seen = new Set<string>();
    // What races with the end of a socket says so, and is made again.
    for (let tries = 0; seen.size < 3 && tries < 10_000; tries++) {
      try {
        seen.add(await from(connection));
      } catch (error) {
        assert.notEqual((error as { outcome?: string }).outcome, 'maybe_executed');
      }
    }
    assert.ok(seen.size >= 3);
    assert.deepEqual(await stream, ['one', 'two']);
  });

  it('a socket to a peer that turns out to be ours is replaced by one that is watched', async () => {
    const { pool, connection, listener } = await open([whence], { idleMs: 100 }, { ours: false });
    const first = await from(connection);
    assert.equal(pool.acquire(listener.address, { ours: true }), connection);
    let latest = first;
    for (let tries = 0; latest === first && tries < 10_000; tries++) latest = await from(connection);
    assert.notEqual(latest, first);
    await until('the first is gone', () => connection.connections === 1);
  });

  it('is out when all its sockets are, and back by itself', async () => {
    const transport = grpcTransport();
    const { connection, listener } = await open([whence], {}, { transport });
    await from(connection);
    const states = statesOf(connection);
    await listener.drain(0);
    await until('the loss is seen', () => connection.state === 'failed');
    assert.equal((await failure(connection.unary(unary, bytes('a'), wire()))).outcome, 'never_sent');
    const again = await transport.listen(listener.address);
    closing.push(() => again.drain(0));
    again.add('test.Test', [whence]);
    await until('it is ready again', () => connection.state === 'ready');
    await from(connection);
    assert.equal(states.at(-1), 'ready');
    assert.ok(states.includes('failed'));
  });

  it('what has failed does not become idle, however long nobody calls it: it would get calls again', async () => {
    const transport = grpcTransport();
    const connection = pooledConnection('h2c://127.0.0.1:1', () => transport.connect('h2c://127.0.0.1:1'), { maxCalls: 100, maxSockets: 8, idleMs: 0, maxAgeMs: HOUR_MS });
    closing.push(() => connection.close());
    await failure(connection.unary(unary, bytes('a'), wire()));
    connection.sweep();
    connection.sweep();
    assert.equal(connection.state, 'failed');
    assert.equal(connection.connections, 1);
  });

  it('is closed by the last who gives it back; what is in flight has its grace', async () => {
    const transport: Transport = inprocTransport();
    const gate = Promise.withResolvers<void>();
    let arrived = 0;
    const listener = await transport.listen('inproc://');
    listener.add('test.Test', [{ ...both, async *handler(call) {
      arrived++;
      await gate.promise;
      yield* call.requests;
    } }]);
    const pool = connectionPool([transport], {}, 20_000);
    closing.push(() => listener.drain(0));
    const connection = pool.acquire(listener.address, { ours: true });
    assert.equal(pool.acquire(listener.address, { ours: true }), connection);
    const call = callAll(connection, both, streamOf([bytes('a')]), wire());
    await until('it has arrived', () => arrived === 1);
    pool.release(listener.address);
    assert.equal(connection.state, 'ready');
    pool.release(listener.address);
    assert.equal(connection.state, 'draining');
    assert.equal((await failure(callAll(connection, both, [bytes('b')], wire()))).outcome, 'never_sent');
    assert.notEqual(pool.acquire(listener.address, { ours: true }), connection);
    gate.resolve();
    assert.deepEqual(await call, ['a']);
    await until('it is closed', () => connection.state === 'closed');
    await pool.close(0);
  });
});
