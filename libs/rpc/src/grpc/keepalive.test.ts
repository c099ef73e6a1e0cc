import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, afterEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Status } from 'nice-grpc-common';
import { failure, wire } from '../testing/bench.ts';
import { bytes, KINDS, streamOf, text, wireMethod } from '../testing/kinds.ts';
import { until } from '../testing/until.ts';
import type { Connection, ConnectOptions } from '../transport.ts';
import { grpcTransport } from './grpc-transport.ts';

const echo = wireMethod(KINDS[0], 'Echo');
const hang = wireMethod(KINDS[0], 'Hang');
const busy = wireMethod(KINDS[0], 'Busy');
const drip = wireMethod(KINDS[2], 'Drip');
/** As the pool has it by default. */
const KEEPALIVE = { intervalMs: 300, timeoutMs: 800 };
const QUICK = { intervalMs: 50, timeoutMs: 600 };

describe('h2c: peers that do not answer', () => {
  const transport = grpcTransport();
  const children: ChildProcess[] = [];
  const connections: Connection[] = [];
  const closing: (() => void)[] = [];
  const connect = (address: string, options: ConnectOptions): Connection => {
    const connection = transport.connect(address, options);
    connections.push(connection);
    return connection;
  };
  const start = async (): Promise<{ child: ChildProcess; address: string }> => {
    const child = fork(new URL('../testing/echo-process.ts', import.meta.url), ['h2c://127.0.0.1:0'], { stdio: 'inherit', execArgv: [] });
    children.push(child);
    const [address] = (await once(child, 'message')) as [string];
    return { child, address };
  };
  afterEach(async () => {
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
    for (const close of closing.splice(0)) close();
  });
  after(() => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });

  it('one that froze loses its calls, is out until it answers, and is found again by itself', { skip: process.platform === 'win32' && 'no SIGSTOP on this machine' }, async () => {
    const { child, address } = await start();
    const connection = connect(address, { keepalive: QUICK, connectTimeoutMs: 200 });
    const states: string[] = [];
    await connection.unary(echo, bytes('a'), wire());
    connection.onStateChange((state) => states.push(state));
    const responses = connection.stream(drip, streamOf([bytes('a')]), wire())[Symbol.asyncIterator]();
    await responses.next();
    child.kill('SIGSTOP');
    for (const error of await Promise.all([failure(connection.unary(hang, bytes('a'), wire())), failure(responses.next())])) {
      assert.equal(error.code, Status.UNAVAILABLE);
      assert.equal(error.outcome, 'maybe_executed');
    }
    assert.equal(connection.state, 'failed');
    // The kernel goes on taking its sockets: some attempts to connect, which wait for nothing.
    for (let attempt = 0; attempt < 5; attempt++) {
      assert.equal((await failure(connection.unary(echo, bytes('a'), wire()))).outcome, 'never_sent');
      await pause(100);
    }
    assert.deepEqual(states, ['failed']);
    child.kill('SIGCONT');
    await until('it is ready again without a call', () => connection.state === 'ready');
    assert.equal(text(await connection.unary(echo, bytes('thawed'), wire())), 'thawed');
    assert.deepEqual(states, ['failed', 'ready']);
  });

  it('one whose event loop is held up for half a second keeps its calls', async () => {
    const { address } = await start();
    const connection = connect(address, { keepalive: KEEPALIVE });
    const states: string[] = [];
    await connection.unary(echo, bytes('a'), wire());
    connection.onStateChange((state) => states.push(state));
    const open = connection.unary(hang, bytes('a'), wire({ signal: AbortSignal.timeout(60_000) }));
    for (let time = 0; time < 2; time++) assert.equal(text(await connection.unary(busy, bytes('500'), wire())), '500');
    assert.deepEqual(states, []);
    await connection.close();
    assert.equal((await failure(open)).details, 'The connection was closed');
  });

  it('a process that was held up itself does not hold that against its peers', async () => {
    const { address } = await start();
    const connection = connect(address, { keepalive: QUICK });
    const states: string[] = [];
    await connection.unary(echo, bytes('a'), wire());
    connection.onStateChange((state) => states.push(state));
    const open = failure(connection.unary(hang, bytes('a'), wire()));
    for (let time = 0; time < 2; time++) {
      // Longer than an answer is waited for, and in other moments between pings.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
      await pause(20 + 17 * time);
    }
    assert.equal(text(await connection.unary(echo, bytes('b'), wire())), 'b');
    assert.deepEqual(states, []);
    await connection.close();
    await open;
  });

  it('one that takes sockets and says nothing goes to failed, and stays so while it is tried again and again', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket.on('error', () => {})));
    await once(mute.listen(0, '127.0.0.1'), 'listening');
    closing.push(() => {
      mute.close();
      for (const socket of sockets) socket.destroy();
    });
    const connection = connect(`h2c://127.0.0.1:${(mute.address() as AddressInfo).port}`, { connectTimeoutMs: 60 });
    const states: string[] = [];
    connection.onStateChange((state) => states.push(state));
    connection.connect();
    await until('it has failed', () => connection.state === 'failed');
    await until('it is tried again and again', () => sockets.size >= 4);
    assert.equal((await failure(connection.unary(echo, bytes('a'), wire()))).outcome, 'never_sent');
    assert.deepEqual(states, ['connecting', 'failed']);
  });

  /** A server that takes calls of HTTP/2, and counts pings. */
  const raw = async () => {
    const server: Http2Server = createHttp2Server();
    const sessions: ServerHttp2Session[] = [];
    const streams: ServerHttp2Stream[] = [];
    let pings = 0;
    server.on('session', (session) => {
      sessions.push(session);
      session.on('ping', () => pings++);
      session.on('error', () => {});
    });
    server.on('stream', (stream) => {
      streams.push(stream);
      stream.on('error', () => {});
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    closing.push(() => {
      server.close();
      for (const session of sessions) session.destroy();
    });
    const answer = (stream: ServerHttp2Stream): void => {
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x68, 0x69]));
    };
    return {
      address: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`,
      sessions,
      streams,
      answer,
      get pings() {
        return pings;
      },
    };
  };

  it('is pinged while a call is in flight only, and no more after its GOAWAY, so that what drains comes to its end', async () => {
    const peer = await raw();
    const connection = connect(peer.address, { keepalive: { intervalMs: 10, timeoutMs: 20_000 } });
    const first = connection.unary(echo, bytes('a'), wire());
    await until('it is pinged', () => peer.pings >= 3);
    peer.answer(peer.streams[0] as ServerHttp2Stream);
    assert.equal(text(await first), 'hi');
    let told = 0;
    const second = connection.unary(echo, bytes('a'), wire({ onLeaving: () => told++ }));
    await until('the second call has arrived', () => peer.streams.length === 2);
    peer.sessions[0]?.goaway(0, 2 ** 31 - 1);
    await until('the call is told', () => told === 1);
    // One may have been on its way.
    await pause(50);
    const before = peer.pings;
    await pause(200);
    assert.equal(peer.pings, before);
    peer.answer(peer.streams[1] as ServerHttp2Stream);
    assert.equal(text(await second), 'hi');
    await until('what was lost is connected again', () => peer.sessions.length === 2 && connection.state === 'ready');
    await pause(100);
    assert.equal(peer.pings, before);
    assert.equal(told, 1);
  });

  it('gets no pings where none are wanted', async () => {
    const peer = await raw();
    const connection = connect(peer.address, {});
    const call = connection.unary(echo, bytes('a'), wire());
    await until('the call has arrived', () => peer.streams.length === 1);
    await pause(200);
    assert.equal(peer.pings, 0);
    peer.answer(peer.streams[0] as ServerHttp2Stream);
    await call;
  });

  it('one that answers pings and nothing else keeps its calls until their deadline', async () => {
    const peer = await raw();
    const connection = connect(peer.address, { keepalive: { intervalMs: 10, timeoutMs: 400 } });
    const error = await failure(connection.unary(echo, bytes('a'), wire({ deadline: performance.now() + 1_200 })));
    assert.equal(error.code, Status.DEADLINE_EXCEEDED);
    assert.equal(connection.state, 'ready');
  });
});
