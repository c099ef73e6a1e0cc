import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pack, startTestRegistry } from '@talaria/pack';
import { eventually } from '@talaria/testing';
import { lacking, ROOT } from '../run.ts';
import { goOutside } from './outside.ts';
import { tracesOfRepository } from './packages-only.ts';
import { startSpanReceiver } from './span-receiver.ts';
import { check, METHOD, walk } from './walk.ts';

/** What the platform promises to a person with an empty folder. */
const MOST_LINES = 15;
const MOST_SECONDS = 300;

const log = (line: string): void => console.log(line);

test('from an empty folder to a call through the gateway and its span, from packages only', async (t) => {
  const reason = await lacking(['curl', 'jq', 'bash', 'npm']);
  if (reason) {
    t.skip(reason);
    return;
  }
  await using cleanup = new AsyncDisposableStack();
  const packages = mkdtempSync(join(tmpdir(), 'talaria-packages-'));
  cleanup.defer(() => rmSync(packages, { recursive: true, force: true }));
  const packed = await pack({ root: ROOT, out: packages });
  const cli = packed.find(({ name }) => name === '@talaria/cli')?.file ?? '';
  const registry = cleanup.adopt(await startTestRegistry(packages), (each) => each.close());
  const receiver = cleanup.adopt(await startSpanReceiver(), (each) => each.close());
  const outside = cleanup.adopt(goOutside(registry.url), (each) => each.remove());

  const { lines, seconds, answer, trace, workspace } = await walk({ outside, cli, receiver, log });
  assert.equal((answer as { invoice?: { title?: string } }).invoice?.title, 'First');
  assert.deepEqual(
    trace.slice(0, 3).map(({ service, name }) => `${service} ${name}`),
    ['api.gateway POST /invoices', `api.gateway ${METHOD}`, `service.invoice ${METHOD}`],
  );
  await eventually(() => outside.processes().length === 0, { limitMs: 30_000 });
  assert.deepEqual(tracesOfRepository(workspace), []);
  await check(workspace, outside);
  log('          the workspace with its service: lint, typecheck, test and build are green');

  const text = (line: string): string => `  ${line}`;
  log(`\nThe lines, with a tarball for @talaria/cli:\n${lines.map(text).join('\n')}\n`);
  log(`The trace:\n${trace.map(({ service, name }) => text(`${service.padEnd(16)} ${name}`)).join('\n')}\n`);
  const kept = lines.length <= MOST_LINES && seconds <= MOST_SECONDS;
  log(`${lines.length} lines written by a person (at most ${MOST_LINES}), ${seconds.toFixed(0)} seconds (at most ${MOST_SECONDS}): ${kept ? 'kept' : 'NOT KEPT'}`);
  assert.ok(lines.length <= MOST_LINES);
});
