import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@talaria/testing';
import { ROOT } from './run.ts';

const LIMIT_MS = 120_000;

/** `npx nx serve account-service` as from a terminal: not as a part of the nx that runs this test. */
function serve(stateDir: string): { readonly output: () => string; readonly ended: () => boolean; interrupt(): void } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NX_') && name !== 'NODE_TEST_CONTEXT'));
  const child = spawn('npx', ['nx', 'serve', 'account-service'], { cwd: ROOT, env: { ...env, TALARIA_STATE_DIR: stateDir, TALARIA_NAMESPACE: `twice-${process.pid}` }, detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  let ended = false;
  void once(child, 'exit').then(() => (ended = true));
  const interrupt = (): void => {
    if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  };
  return { output: () => output, ended: () => ended, interrupt };
}

// nx would make a second one wait for the first without a word if the target were continuous: it shares such tasks.
test('an app that is served already is refused with a sentence, also through nx', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'talaria-twice-'));
  chmodSync(stateDir, 0o755);
  const first = serve(stateDir);
  try {
    await eventually(() => first.output().includes('account-service is ready') || first.ended(), { limitMs: LIMIT_MS });
    assert.ok(!first.ended(), first.output());
    const second = serve(stateDir);
    try {
      await eventually(second.ended, { limitMs: LIMIT_MS });
    } finally {
      second.interrupt();
    }
    assert.match(second.output(), /serve: "account-service" is being served from .* another state directory and port/);
  } finally {
    first.interrupt();
    await eventually(first.ended, { limitMs: LIMIT_MS });
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
});
