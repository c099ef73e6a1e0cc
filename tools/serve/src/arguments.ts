import { readInstances, type InstancesOption } from './instances.ts';
import { ServeError } from './serve-error.ts';

/** How the named app is to be debugged. */
export interface InspectOption {
  /** Whether it waits for a debugger before its first line. */
  readonly brk: boolean;
  /** On loopback; 0: a free one. */
  readonly port: number;
}

/** What the command line says. */
export interface ServeArguments {
  /** The app to serve; undefined if none is named. */
  readonly app: string | undefined;
  readonly inspect: InspectOption | undefined;
  /** How often apps run; empty: each once. */
  readonly instances: readonly InstancesOption[];
  readonly help: boolean;
}

/** What `--help` prints. */
export const HELP = `Serves an app with all that it needs, and restarts what changes: npx nx serve <app> [options]

Options:
  --instances <count>   runs the app (not those that it needs) so many times, up to 20, each with a port and a log prefix of its own
                        (account-service#2). What crashes comes back by itself; a changed source restarts them one by one.
                        For others by name: --instances account-service=3,transaction-service=2. The gateway, which has PORT, runs once
  --inspect[=port]      runs the app (not those that it needs; of several instances the first) with Node's inspector on that port of
                        127.0.0.1, default 9229; 0 takes a free one. Attach an editor, or open chrome://inspect. Breakpoints in
                        .ts files hit their lines, and the port stays when the app restarts
  --inspect-brk[=port]  so, too, and waits for the debugger before the first line, each time that the app starts
  --help                prints this (with nx: npx nx serve <app> -- --help)

Variables: PORT (the gateway's, default 8080), TALARIA_STATE_DIR (default .talaria), ETCD_ENDPOINTS, DATABASE_URL, LOG_LEVEL, LOG_FORMAT.

Examples:
  npx nx serve webhook-api
  npx nx serve account-service --instances 3
  npx nx serve account-service --inspect
  PORT=8081 TALARIA_STATE_DIR=.talaria-2 npx nx serve webhook-api --inspect=9230
`;

/** The default of Node, which editors know. */
const DEFAULT_PORT = 9229;
const LOOPBACK = /^(?:(?:127\.0\.0\.1|localhost):)?(\d+)$/;

function inspectPort(flag: string, value: string): number {
  // What nx makes of a flag without a value.
  if (value === '' || value === 'true') return DEFAULT_PORT;
  const port = Number(LOOPBACK.exec(value)?.[1] ?? NaN);
  if (!(port <= 65_535)) throw new ServeError(`${flag}=${value} names no port: give a number up to 65535, such as ${flag}=9230; the inspector listens on 127.0.0.1 only.`);
  return port;
}

/** Reads the arguments after `node main.ts`. Throws a `ServeError` for one that nobody knows. */
export function readArguments(args: readonly string[]): ServeArguments {
  let app: string | undefined;
  let inspect: InspectOption | undefined;
  let instances: readonly InstancesOption[] = [];
  let help = false;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const [, flag, value = ''] = /^(--inspect(?:-brk)?)(?:=(.*))?$/.exec(arg) ?? [];
    if (flag !== undefined) {
      // `--inspect 9230`, as nx may pass it on.
      const next = args[index + 1] ?? '';
      const separate = !arg.includes('=') && LOOPBACK.test(next);
      if (separate) index++;
      inspect = { brk: flag === '--inspect-brk', port: inspectPort(flag, separate ? next : value) };
    } else if (/^--instances(=|$)/.test(arg)) {
      // `--instances 3`, as people type it, and `--instances=3`, as nx passes it on.
      instances = [...instances, ...readInstances(arg.includes('=') ? arg.slice(arg.indexOf('=') + 1) : (args[++index] ?? ''))];
    } else if (arg === '--help' || arg === '-h' || arg === '--help=true') help = true;
    else if (arg.startsWith('-')) throw new ServeError(`There is no option ${arg}: "npx nx serve <app> -- --help" says which there are.`);
    else if (app === undefined) app = arg;
    else throw new ServeError(`One app is served at a time, with all that it needs, and "${arg}" is a second one: see talaria.serve in the package.json of an app.`);
  }
  return { app, inspect, instances, help };
}
