#!/usr/bin/env node
import { run } from './run.ts';
import { processInput } from './input.ts';
import { processTerminal } from './terminal.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort(signal));
// npx does not pass signals on: when it is killed, we are orphaned, and nobody would find us.
if (process.env['npm_command'] === 'exec') {
  const npx = process.ppid;
  setInterval(() => process.ppid === npx || stopping.abort('SIGHUP'), 500).unref();
}
process.exitCode = await run(process.argv.slice(2), { terminal: processTerminal(), input: processInput(), env: process.env, signal: stopping.signal });
// Whatever a connection leaves behind must not keep the command waiting.
setTimeout(() => process.exit(), 1000).unref();
