#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Most of a command's time is the loading of its code: kept compiled (in the system's folder for temporary files, or where
// NODE_COMPILE_CACHE says) that takes half as long from the second time on. NODE_DISABLE_COMPILE_CACHE=1 does without.
enableCompileCache();
const [{ run }, { processInput }, { processTerminal }] = await Promise.all([import('./run.ts'), import('./input.ts'), import('./terminal.ts')]);

const stopping = new AbortController();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
for (const signal of SIGNALS) process.once(signal, () => stopping.abort(signal));
// npx does not pass signals on: when it is killed, we are orphaned, and nobody would find us.
if (process.env['npm_command'] === 'exec') {
  const npx = process.ppid;
  setInterval(() => process.ppid === npx || stopping.abort('SIGHUP'), 500).unref();
}
const code = await run(process.argv.slice(2), { terminal: processTerminal(), input: processInput(), env: process.env, signal: stopping.signal });
// Output that could not be written has set it already.
process.exitCode ??= code;
// Whatever a connection leaves behind must not keep the command waiting, nor whoever presses Ctrl-C now.
for (const signal of SIGNALS) process.removeAllListeners(signal);
setTimeout(() => process.exit(), 1000).unref();
