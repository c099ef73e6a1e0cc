import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { Status } from 'nice-grpc-common';
import { failure, wire } from '../testing/bench.ts';
import { bytes, KINDS, streamOf, text, wireMethod } from '../testing/kinds.ts';
import { settle, until } from '../testing/until.ts';
import type { Connection } from '../transport.ts';
import { grpcTransport } from './grpc-transport.ts';

const unary = wireMethod(KINDS[0], 'Echo');
const hang = wireMethod(KINDS[0], 'Hang');
const drip = wireMethod(KINDS[2], 'Drip');

/** Faults that need a process or a socket of their own. */
describe('h2c: faults of the peer', () => {
  const children: ChildProcess[] = [];
  const connections: Connection[] = [];
  const transport = grpcTransport();

  const start = async (address: string): Promise<{ child: ChildProcess; address: string }> => {
    const child = fork(new URL('../testing/echo-process.ts', import.meta.url), [address], { stdio: 'inherit', execArgv: [] });
    children.push(child);
    const [bound] = (await once(child, 'message')) as [string];
    return { child, address: bound };
  };
  /** A port below those of outgoing connections: one of these, even the client's own to that very port, could take it while nobody listens. */
  const fixed = (): string => `h2c://127.0.0.1:${randomInt(10_000, 32_768)}`;
  const connect = (address: string, connectTimeoutMs = 5_000): Connection => {
    const connection = transport.connect(address, { connectTimeoutMs });
    connections.push(connection);
    return connection;
  };
  after(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await Promise.all(connections.map((connection) => connection.close()));
  });

  it('killed in the middle of calls, they fail at once, and its next life is found on the same port', async () => {
    const { child, address } = await start(fixed());
    const connection = connect(address);
    const waiting = failure(connection.unary(hang, bytes('a'), wire()));
    const responses = connection.stream(drip, streamOf([bytes('a')]), wire())[Symbol.asyncIterator]();
    await responses.next();
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const error of [await waiting, await failure(responses.next())]) {
      assert.equal(error.code, Status.UNAVAILABLE);
      assert.equal(error.outcome, 'maybe_executed');
    }
    assert.equal(connection.inFlight, 0);
    for (let gone = 0; gone < 3; gone++) assert.equal((await failure(connection.unary(unary, bytes('a'), wire()))).outcome, 'never_sent');
    const next = await start(address);
    assert.equal(next.address, address);
    let answer: Uint8Array | undefined;
    await until('it is reached again', () => {
      void connection.unary(unary, bytes('back'), wire()).then(
        (got) => (answer = got),
        () => {},
      );
      return answer !== undefined;
    });
    assert.equal(text(answer as unknown as Uint8Array), 'back');
    await until('no call in flight', () => connection.inFlight === 0);
  });

  it('reconnects by itself, so that pickers see when it is back', async () => {
    const { child, address } = await start(fixed());
    const connection = connect(address);
    await connection.unary(unary, bytes('a'), wire());
    child.kill('SIGKILL');
    await once(child, 'exit');
    await failure(connection.unary(unary, bytes('a'), wire()));
    assert.equal(connection.state, 'failed');
    await start(address);
    await until('ready again without a call', () => connection.state === 'ready');
  });

  it('frozen, it does not hold a call beyond its deadline, and works when it thaws', { skip: process.platform === 'win32' && 'no SIGSTOP on this machine' }, async () => {
    const { child, address } = await start('h2c://127.0.0.1:0');
    const connection = connect(address);
    await connection.unary(unary, bytes('a'), wire());
    child.kill('SIGSTOP');
    const error = await failure(connection.unary(unary, bytes('a'), wire({ deadline: performance.now() + 200 })));
    assert.equal(error.code, Status.DEADLINE_EXCEEDED);
    const controller = new AbortController();
    const cancelled = failure(connection.unary(unary, bytes('a'), wire({ signal: controller.signal })));
    await settle();
    controller.abort();
    assert.equal((await cancelled).code, Status.CANCELLED);
    child.kill('SIGCONT');
    assert.equal(text(await connection.unary(unary, bytes('thawed'), wire())), 'thawed');
  });

  it('one that takes the socket and says nothing is given up after the connect timeout, the deadline, or a cancellation', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket.on('error', () => {})));
    await once(mute.listen(0, '127.0.0.1'), 'listening');
    const address = `h2c://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const byTimeout = await failure(connect(address, 200).unary(unary, bytes('a'), wire()));
    assert.equal(byTimeout.code, Status.UNAVAILABLE);
    assert.equal(byTimeout.outcome, 'never_sent');
    const connection = connect(address);
    const byDeadline = await failure(connection.unary(unary, bytes('a'), wire({ deadline: performance.now() + 100 })));
    assert.equal(byDeadline.code, Status.DEADLINE_EXCEEDED);
    assert.equal(byDeadline.outcome, 'never_sent');
    const controller = new AbortController();
    const byCaller = failure(connection.unary(unary, bytes('a'), wire({ signal: controller.signal })));
    await settle();
    assert.equal(connection.state, 'connecting');
    controller.abort();
    assert.equal((await byCaller).code, Status.CANCELLED);
    assert.equal((await byCaller).outcome, 'never_sent');
    assert.equal(connection.inFlight, 0);
    mute.close();
    for (const socket of sockets) socket.destroy();
  });

  it('a malformed address fails the calls, not the connecting', async () => {
    for (const address of ['h2c://', 'h2c://host', 'h2c://host:99999', 'h2c://a/b:1']) {
      const error = await failure(connect(address).unary(unary, bytes('a'), wire()));
      assert.equal(error.outcome, 'never_sent');
      assert.match(error.details, /malformed/);
    }
  });
});
