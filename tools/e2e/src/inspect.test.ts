import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRealPlatform } from '@talaria/testing';
import { ROOT, run } from './run.ts';

const HANDLERS = 'apps/account-service/src/handlers/account-handlers.ts';
/** What stands in the line where the call is to stop. */
const STATEMENT = 'return { account: await storage.create(principal().id, description) };';
const LIMIT_MS = 60_000;

interface CdpMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

interface Paused {
  readonly callFrames: readonly { readonly functionName: string; readonly callFrameId: string; readonly location: { readonly scriptId: string; readonly lineNumber: number } }[];
}

/** The Chrome DevTools Protocol, as far as it is needed: https://chromedevtools.github.io/devtools-protocol/v8/Debugger. */
async function debuggerAt(url: string): Promise<{ send(method: string, params?: object): Promise<unknown>; event(method: string): Promise<unknown>; close(): void }> {
  const socket = new WebSocket(url);
  await once(socket, 'open', { signal: AbortSignal.timeout(LIMIT_MS) });
  const messages = new EventTarget();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as CdpMessage;
    messages.dispatchEvent(new CustomEvent(message.method ?? String(message.id), { detail: message.params ?? message.result }));
  });
  const event = async (name: string): Promise<unknown> => ((await once(messages, name, { signal: AbortSignal.timeout(LIMIT_MS) })) as [CustomEvent])[0].detail;
  let ids = 0;
  return {
    event,
    send(method, params = {}) {
      const answer = event(String(++ids));
      socket.send(JSON.stringify({ id: ids, method, params }));
      return answer;
    },
    close: () => socket.close(),
  };
}

test('serve --inspect: a breakpoint in a .ts line of a handler stops a call there', async () => {
  const namespace = `inspect-${process.pid}`;
  const platform = await startRealPlatform({ app: 'account-service', args: ['--inspect=0'], env: { TALARIA_NAMESPACE: namespace } });
  try {
    const url = /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(platform.output())?.[0];
    assert.ok(url, platform.output());
    const cdp = await debuggerAt(url);
    await cdp.send('Debugger.enable');
    const lineNumber = (await readFile(join(ROOT, HANDLERS), 'utf8')).split('\n').findIndex((line) => line.includes(STATEMENT));
    assert.ok(lineNumber > 0, `${HANDLERS} has changed: name another statement here`);
    const set = (await cdp.send('Debugger.setBreakpointByUrl', { lineNumber, urlRegex: `.*${HANDLERS.replaceAll('.', '\\.')}$` })) as { locations: readonly { readonly scriptId: string }[] };
    assert.equal(set.locations.length, 1);

    const paused = cdp.event('Debugger.paused') as Promise<Paused>;
    const called = run('npx', ['talaria', 'call', 'account.v1.AccountService/CreateAccount', '{"description":"Stop here"}', '--timeout', '60', '--compact'], { env: { TALARIA_STATE_DIR: platform.stateDir, TALARIA_NAMESPACE: namespace } });
    const [frame] = (await Promise.race([paused, called.then((out) => Promise.reject(new Error(`The call did not stop: ${out}`)))])).callFrames;
    assert.equal(frame?.location.lineNumber, lineNumber);
    assert.equal(frame.location.scriptId, set.locations[0]?.scriptId);
    assert.equal(frame.functionName, 'createAccount');
    const seen = (await cdp.send('Debugger.evaluateOnCallFrame', { callFrameId: frame.callFrameId, expression: 'description', returnByValue: true })) as { result: { value: unknown } };
    assert.equal(seen.result.value, 'Stop here');
    await cdp.send('Debugger.resume');
    assert.equal((JSON.parse(await called) as { account: { description: string } }).account.description, 'Stop here');
    cdp.close();
  } finally {
    await platform.stop();
  }
});
