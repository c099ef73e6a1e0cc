import { HELP, readArguments, type ServeArguments } from './arguments.ts';
import { listenToFront, runInFront, SUPERVISE, type Front } from './front.ts';
import { instanceCounts, instanceNames } from './instances.ts';
import { createOutput, type Output } from './output.ts';
import { ServeError } from './serve-error.ts';
import { acquireStateDir, stateDirOf, type StateDir } from './state-dir.ts';
import { supervise, type Supervisor } from './supervisor.ts';
import { appsFor, readPackages } from './workspace.ts';

/** A terminal and nx both pass on one Ctrl-C; only one that comes later means that the user will not wait. */
const SECOND_SIGNAL_MS = 1500;

/** The arguments, if there is an app among them to serve. */
function checkStart(args: readonly string[]): ServeArguments & { readonly app: string } {
  const found = readArguments(args);
  const { app } = found;
  if (Number(process.versions.node.split('.')[0]) < 24) throw new ServeError(`Talaria needs Node 24 or newer, and this is ${process.version}: install it from https://nodejs.org.`);
  if (app === undefined) throw new ServeError('Name the app to serve, such as: npx nx serve webhook-api.');
  return { ...found, app };
}

function complain(error: unknown): void {
  process.stderr.write(`${error instanceof ServeError ? `serve: ${error.message}` : String(error instanceof Error ? error.stack : error)}\n`);
}

/** Serves `app` until it is told to stop. */
async function run({ app, inspect, instances: wanted }: ServeArguments & { readonly app: string }, connect: (onStop: (why: string) => void) => Front): Promise<void> {
  const root = process.cwd();
  let output: Output | undefined;
  let stateDir: StateDir | undefined;
  let supervisor: Supervisor | undefined;
  let told: { readonly why: string; readonly at: number } | undefined;

  const finish = async (running: Supervisor, why: string): Promise<void> => {
    // Ctrl-C comes through nx as SIGTERM: which signal it was tells nobody anything.
    output?.say(why.startsWith('SIG') ? 'Stopping everything.' : `Stopping everything: ${why}.`);
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
    const instances = instanceCounts(wanted, app, apps);
    output = createOutput(process.stdout, ['etcd', 'postgres', ...[...instances].flatMap(([name, count]) => instanceNames(name, count))], process.env);
    stateDir = acquireStateDir(stateDirOf(root, process.env), app);
    supervisor = await supervise({ root, app, inspect, instances, apps, packages, stateDir, env: process.env, output, terminal: process.stdout.isTTY });
    if (told) await finish(supervisor, (told as { why: string }).why);
  } catch (error) {
    complain(error);
    stateDir?.release();
    front.exit(1);
  }
}

/** Does what the arguments of `main`, which is this program's file, say. */
export async function serve(main: string, args: readonly string[]): Promise<void> {
  // The terminal, or nx, may go before everything has stopped.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    if (args[0] === SUPERVISE) return await run(checkStart(args.slice(1)), listenToFront);
    if (readArguments(args).help) return void process.stdout.write(HELP);
    const checked = checkStart(args);
    if (process.platform === 'win32') return await run(checked, () => ({ exit: (code) => process.exit(code) }));
    process.exit(await runInFront(main, args));
  } catch (error) {
    complain(error);
    process.exit(1);
  }
}
