import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { freePort } from './ports.ts';
import { isAlive } from './process-identity.ts';
import { fakeWorkspace, until } from './testing/fake-workspace.ts';

/** A debugger as editors are: it enables the runtime, and by that holds a program that ends. */
async function attach(port: number): Promise<{ readonly url: string; evaluate(expression: string): Promise<unknown> } & Disposable> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  const url = target?.webSocketDebuggerUrl ?? '';
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const answers = new Map<number, (result: unknown) => void>();
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id !== undefined) answers.get(id)?.(result);
  };
  const send = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      answers.set(answers.size + 1, resolve);
      socket.send(JSON.stringify({ id: answers.size, method, params }));
    });
  await send('Runtime.enable');
  return {
    url,
    evaluate: async (expression) => ((await send('Runtime.evaluate', { expression, returnByValue: true })) as { result: { value: unknown } }).result.value,
    [Symbol.dispose]: () => socket.close(),
  };
}

describe('serve --inspect', { concurrency: 2 }, () => {
  it('debugs the named app alone, on a port that outlives restarts, debuggers and all', async (t) => {
    const workspace = fakeWorkspace();
    t.after(() => workspace.remove());
    const port = await freePort();
    const served = workspace.serve('alpha', {}, [`--inspect=${port}`]);
    await until('it says where', () => served.output().includes('Debugger of alpha listening on'), served.output);
    await until('ready', () => served.output().includes('is ready'), served.output);
    using first = await attach(port);
    assert.ok(served.output().includes(`listening on ${first.url}: `));
    assert.equal(await first.evaluate('process.pid'), workspace.pidsOf('alpha')[0]);

    // With the debugger attached: by a changed source, and by its death.
    workspace.write('libs/shared/src/shared.ts', 'export const shared = 2;');
    await until('it restarted', () => workspace.pidsOf('alpha').filter(isAlive).length === 1 && workspace.pidsOf('alpha').length === 2, served.output);
    using second = await attach(port);
    assert.equal(await second.evaluate('process.pid'), workspace.pidsOf('alpha')[1]);
    await second.evaluate('setTimeout(() => process.exit(3), 1), 0');
    await until('it is back', () => workspace.pidsOf('alpha').filter(isAlive).length === 1 && workspace.pidsOf('alpha').length === 3, served.output);
    using third = await attach(port);
    assert.equal(await third.evaluate('process.pid'), workspace.pidsOf('alpha')[2]);
    assert.match(served.output(), /alpha ended, with a debugger attached; it starts again/);
    assert.doesNotMatch(served.output(), /is killed/);
    assert.equal(served.output().match(/ws:\/\//g)?.length, 1, served.output());

    served.process.kill('SIGTERM');
    assert.equal(await served.exited, 0);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/json/list`));
  });

  it('waits for the debugger with --inspect-brk', async (t) => {
    const workspace = fakeWorkspace();
    t.after(() => workspace.remove());
    const served = workspace.serve('beta', {}, ['--inspect-brk=0']);
    await until('it says where', () => /listening on ws:\/\/127\.0\.0\.1:\d+/.test(served.output()), served.output);
    assert.deepEqual(workspace.pidsOf('beta'), []);
    const socket = new WebSocket(/ws:\/\/[^:]+:\d+\/[\w-]+/.exec(served.output())?.[0] ?? '');
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.runIfWaitingForDebugger' }));
    await until('ready', () => served.output().includes('is ready'), served.output);
    socket.close();
    served.process.kill('SIGTERM');
    assert.equal(await served.exited, 0);
  });

  it('says so when the port is taken, and what its options are', async (t) => {
    const workspace = fakeWorkspace();
    t.after(() => workspace.remove());
    const server = createServer();
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)));
    const served = workspace.serve('beta', {}, [`--inspect=${port}`]);
    assert.equal(await served.exited, 1);
    assert.match(served.output(), new RegExp(`^serve: Port ${port} cannot be had for the inspector, .*--inspect=9230.*\\n$`));
    server.close();
    const help = workspace.serve('beta', {}, ['--help']);
    assert.equal(await help.exited, 0);
    assert.match(help.output(), /--inspect\[=port\][^]*--inspect-brk/);
    assert.deepEqual(workspace.pidsOf('beta'), []);
  });

  it('warns of no colours that are both forced and refused', async (t) => {
    const workspace = fakeWorkspace();
    t.after(() => workspace.remove());
    const served = workspace.serve('beta', { NO_COLOR: '1', FORCE_COLOR: 'true' });
    await until('ready', () => served.output().includes('is ready'), served.output);
    served.process.kill('SIGTERM');
    assert.equal(await served.exited, 0);
    assert.doesNotMatch(served.output(), /Warning|COLOR/);
    assert.deepEqual([workspace.envOf('beta')['NO_COLOR'], workspace.envOf('beta')['FORCE_COLOR']], ['1', undefined]);
  });
});
