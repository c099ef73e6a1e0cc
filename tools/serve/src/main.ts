#!/usr/bin/env node
import { listenToFront, runInFront, SUPERVISE, type Front } from './front.ts';
import { createOutput, type Output } from './output.ts';
import { ServeError } from './serve-error.ts';
import { acquireStateDir, stateDirOf, type StateDir } from './state-dir.ts';
import { supervise, type Supervisor } from './supervisor.ts';
import { appsFor, readPackages } from './workspace.ts';

/** A terminal and nx both pass on one Ctrl-C; only one that comes later means that the user will not wait. */
const SECOND_SIGNAL_MS = 1500;

function checkStart(app: string | undefined): string {
  if (Number(process.versions.node.split('.')[0]) < 24) throw new ServeError(`Talaria needs Node 24 or newer, and this is ${process.version}: install it from https://nodejs.org.`);
  if (app === undefined || app.startsWith('-')) throw new ServeError('Name the app to serve, such as: npx nx serve webhook-api.');
  return app;
}

function complain(error: unknown): void {
  process.stderr.write(`${error instanceof ServeError ? `serve: ${error.message}` : String(error instanceof Error ? error.stack : error)}\n`);
}

/** Serves `app` until it is told to stop. */
async function run(app: string, connect: (onStop: (why: string) => void) => Front): Promise<void> {
  const root = process.cwd();
  let output: Output | undefined;
  let stateDir: StateDir | undefined;
  let supervisor: Supervisor | undefined;
  let told: { readonly why: string; readonly at: number } | undefined;

  const finish = async (running: Supervisor, why: string): Promise<void> => {
    output?.say(`Stopping everything (${why}).`);
    await running.stop();
    stateDir?.release();
    output?.say('Everything has stopped.');
    front.exit(0);
  };
  const onStop = (why: string): void => {
    if (!told) {
      told = { why, at: performance.now() };
      // Still starting: the end of the start finds that it was told.
      if (supervisor) void finish(supervisor, why);
    } else if (performance.now() - told.at > SECOND_SIGNAL_MS && why !== 'SIGTERM' && why.startsWith('SIG')) {
      supervisor?.kill();
      stateDir?.release();
      front.exit(1);
    }
  };
  const front = connect(onStop);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onStop(signal));

  try {
    const packages = readPackages(root);
    const apps = appsFor(app, packages, root);
    output = createOutput(process.stdout, ['etcd', 'postgres', ...apps.map(({ name }) => name)], process.env);
    stateDir = acquireStateDir(stateDirOf(root, process.env), app);
    supervisor = await supervise({ root, app, apps, packages, stateDir, env: process.env, output, terminal: process.stdout.isTTY });
     
    if (told) await finish(supervisor, (told as { why: string }).why);
  } catch (error) {
    complain(error);
    stateDir?.release();
    front.exit(1);
  }
}

// The terminal, or nx, may go before everything has stopped.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
try {
  const [first, second] = process.argv.slice(2);
  if (first === SUPERVISE) await run(checkStart(second), listenToFront);
  else if (process.platform === 'win32') await run(checkStart(first), () => ({ exit: (code) => process.exit(code) }));
  else process.exit(await runInFront(import.meta.filename, checkStart(first)));
} catch (error) {
  complain(error);
  process.exit(1);
}
