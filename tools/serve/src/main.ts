#!/usr/bin/env node
import { createOutput } from './output.ts';
import { ServeError } from './serve-error.ts';
import { acquireStateDir, stateDirOf, type StateDir } from './state-dir.ts';
import { supervise, type Supervisor } from './supervisor.ts';
import { appsFor, readPackages } from './workspace.ts';

/** A terminal and nx both pass on one Ctrl-C; only one that comes later means that the user will not wait. */
const SECOND_SIGNAL_MS = 1500;

async function main(): Promise<void> {
  const root = process.cwd();
  const [app] = process.argv.slice(2);
  // The terminal, or nx, may go before we have stopped everything.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});

  let stateDir: StateDir | undefined;
  let supervisor: Supervisor | undefined;
  let signalled: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled !== undefined) {
      if (performance.now() - signalled < SECOND_SIGNAL_MS) return;
      supervisor?.kill();
      stateDir?.release();
      process.exit(1);
    }
    signalled = performance.now();
    // Not started yet: the end of the start finds `signalled` set.
    if (supervisor) void finish(supervisor, signal);
  };
  const finish = async (running: Supervisor, signal: string): Promise<void> => {
    output?.say(`Stopping everything (${signal}).`);
    await running.stop();
    stateDir?.release();
    output?.say('Everything has stopped.');
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onSignal(signal));

  let output: ReturnType<typeof createOutput> | undefined;
  try {
    if (Number(process.versions.node.split('.')[0]) < 24) throw new ServeError(`Talaria needs Node 24 or newer, and this is ${process.version}: install it from https://nodejs.org.`);
    if (app === undefined || app.startsWith('-')) throw new ServeError('Name the app to serve: npx nx serve webhook-api (or, without nx: node tools/serve/src/main.ts webhook-api).');
    const packages = readPackages(root);
    const apps = appsFor(app, packages, root);
    output = createOutput(process.stdout, ['etcd', 'postgres', ...apps.map(({ name }) => name)], process.env);
    stateDir = acquireStateDir(stateDirOf(root, process.env), app);
    supervisor = await supervise({ root, app, apps, packages, stateDir, env: process.env, output, terminal: process.stdout.isTTY });
    if (signalled !== undefined) await finish(supervisor, 'asked to while starting');
  } catch (error) {
    stateDir?.release();
    process.stderr.write(`${error instanceof ServeError ? `serve: ${error.message}` : String(error instanceof Error ? error.stack : error)}\n`);
    process.exit(1);
  }
}

await main();
