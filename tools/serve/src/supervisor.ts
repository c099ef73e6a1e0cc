import { readyText } from './announcement.ts';
import type { InspectOption } from './arguments.ts';
import { createChild, type Child, type ChildOptions } from './child.ts';
import { configKeysEnvironment, configKeysFile, ensureConfigKeys } from './config-keys.ts';
import { planEngines } from './engines.ts';
import { appEnvironment, etcdUserFile, etcdUsersDir, instanceStateDir, keyFile, publicKeysFile, sharedEnvironment } from './environment.ts';
import { generate, isStale } from './generate.ts';
import { importGraph } from './imports.ts';
import { announceInspector, planInspector } from './inspector.ts';
import { instanceNames } from './instances.ts';
import { CLI_SERVICE, ensureKeys } from './keys.ts';
import { clearLeftovers, noteProcesses } from './leftovers.ts';
import type { Output } from './output.ts';
import { removePlatformFile, writePlatformFile } from './platform-file.ts';
import { gatewayPort } from './ports.ts';
import { askGateway } from './readiness.ts';
import { restartOnChange } from './restarts.ts';
import { createRolling, type Rolling } from './rolling.ts';
import { ServeError } from './serve-error.ts';
import type { StateDir } from './state-dir.ts';
import { GATEWAY, type App, type Package } from './workspace.ts';

/** What to serve, and from where. */
export interface SupervisorOptions {
  readonly root: string;
  /** What the user asked for. */
  readonly app: string;
  /** Whether that one is debugged. */
  readonly inspect: InspectOption | undefined;
  /** How often each app runs, by name. */
  readonly instances: ReadonlyMap<string, number>;
  /** That, and all that it needs. */
  readonly apps: readonly App[];
  readonly packages: ReadonlyMap<string, Package>;
  readonly stateDir: StateDir;
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  /** Whether people read the output as it comes. */
  readonly terminal: boolean;
}

/** A platform that runs. */
export interface Supervisor {
  /** Apps first, then the engines that they use. Nothing is left when it resolves. */
  stop(): Promise<void>;
  /** Ends everything this instant. */
  kill(): void;
}

/** Within these two the whole stop stays below ten seconds; what apps do not need of theirs, engines may. */
const APPS_LIMIT_MS = 6500;
const ENGINES_LIMIT_MS = 2500;
/** One of several is given the time to end its calls in good order: a service stops within 8 s. */
const ROLLING_LIMIT_MS = 8500;
const READY_LIMIT_MS = 30_000;
const READY_POLL_MS = 150;

/** Starts everything, and keeps it running until it is stopped. Throws a `ServeError` for what the user must change first. */
export async function supervise(options: SupervisorOptions): Promise<Supervisor> {
  const { root, apps, packages, stateDir, env, output } = options;
  const started = performance.now();
  await clearLeftovers(stateDir.path, output);
  const port = apps.some(({ name }) => name === GATEWAY) ? await gatewayPort(env) : undefined;
  const inspector = options.inspect && (await planInspector(options.inspect));
  const backends = await planEngines(root, stateDir.path, apps.some(({ storage }) => storage), env);
  await ensureKeys(stateDir.path, [...apps.map(({ service }) => service), CLI_SERVICE]);
  const configKeys = configKeysFile(stateDir.path, env);
  if (configKeys !== undefined) ensureConfigKeys(configKeys);
  // For the samples of /docs: how this workspace calls the package of its generated contracts.
  const contracts = [...packages.values()].find(({ folder }) => folder === 'libs/contracts')?.name;
  const shared = { ...(contracts === undefined ? {} : { TALARIA_CONTRACTS_PACKAGE: contracts }), ...sharedEnvironment(stateDir.path, env, options.terminal) };
  if (isStale(root) && !(await generate(root, stateDir.path, shared, output))) {
    throw new ServeError('The code could not be generated from proto/ (see above): mend the proto file, or run "npm ci" if the generator is missing.');
  }

  const all: Child[] = [];
  let stopping = false;
  const onChange = (): void => {
    if (!stopping) noteProcesses(stateDir.path, all);
  };
  const child = (name: string, args: readonly string[], environment: () => NodeJS.ProcessEnv, more: Pick<ChildOptions, 'onReady' | 'restartLimitMs'>): Child => {
    const made = createChild({ name, args, cwd: root, env: environment, output, onChange, ...more });
    all.push(made);
    return made;
  };

  const publish = (): void =>
    writePlatformFile(stateDir.path, {
      pid: process.pid,
      app: options.app,
      apps: apps.map(({ name }) => name),
      services: Object.fromEntries(apps.map(({ service, contracts }) => [service, contracts])),
      instances: Object.fromEntries(options.instances),
      gateway: port === undefined ? undefined : `http://localhost:${port}`,
      etcd_endpoints: backends.etcdEndpoints,
      database_url: backends.databaseUrl,
      service_keys_file: publicKeysFile(stateDir.path),
      cli_key_file: keyFile(stateDir.path, CLI_SERVICE),
      config_keys_file: configKeys,
      etcd_credentials_file: etcdUserFile(stateDir.path, 'operator'),
      etcd_users_dir: etcdUsersDir(stateDir.path),
    });

  const waiting = new Set<Child>();
  const programs: { readonly children: readonly Child[]; readonly instances: Rolling; readonly entry: string; readonly app?: App }[] = [];
  for (const { name, args } of backends.engines) {
    const onReady = ({ url }: { url?: string }): void => {
      if (name !== 'postgres' || url === undefined || !backends.setDatabaseUrl(url) || stopping) return;
      publish();
      for (const { children, app } of programs) {
        if (!app?.storage) continue;
        for (const made of children) {
          if (waiting.delete(made)) made.start();
          else void made.restart('the database has another address');
        }
      }
    };
    const engine = child(name, args, () => shared, { onReady });
    programs.push({ children: [engine], instances: createRolling(name, [engine], output), entry: args[0] ?? '' });
  }
  for (const app of apps) {
    const { program } = app;
    const children = instanceNames(app.name, options.instances.get(app.name) ?? 1).map((name, index, { length }) => {
      const inspected = inspector && app.name === options.app && index === 0 ? inspector.args : [];
      const environment = (): NodeJS.ProcessEnv => ({
        ...appEnvironment(app, apps, shared, stateDir.path, backends, port),
        ...configKeysEnvironment(configKeys),
        TALARIA_STATE_DIR: instanceStateDir(stateDir.path, app.name, index),
      });
      return child(name, [...inspected, program], environment, length > 1 ? { restartLimitMs: ROLLING_LIMIT_MS } : {});
    });
    programs.push({ children, instances: createRolling(app.name, children, output), entry: program, app });
  }

  publish();
  output.say(`Starting ${all.map(({ name }) => name).join(', ')}; state in ${stateDir.path}.`);
  for (const { children, app } of programs) {
    for (const made of children) {
      if (app?.storage && backends.databaseUrl === undefined) waiting.add(made);
      else made.start();
    }
  }
  const stopLooking = new AbortController();
  if (inspector) void announceInspector(inspector, options.app, output, stopLooking.signal);
  const watching = restartOnChange({ root, graph: importGraph(root, packages), programs, output, generate: () => generate(root, stateDir.path, shared, output) });

  let poll: NodeJS.Timeout | undefined;
  let complained = false;
  const lookWhetherReady = async (): Promise<void> => {
    const answer = port === undefined ? undefined : await askGateway(port);
    if (stopping) return;
    const seconds = (performance.now() - started) / 1000;
    const notReady = (of: typeof programs): readonly string[] => of.flatMap(({ app, children }) => (app ? children.filter((made) => !made.ready).map(({ name }) => name) : []));
    const missing = notReady(programs);
    // The gateway is content with one instance of each.
    if (answer ? answer.ready && notReady(programs.filter(({ children }) => children.length > 1)).length === 0 : missing.length === 0) {
      const app = apps.find(({ name }) => name === options.app);
      const named = env['TALARIA_STATE_DIR'] ? stateDir.path : undefined;
      if (app) output.announce(readyText({ root, app, port, seconds, instances: options.instances, stateDir: named }));
      return;
    }
    if (!complained && seconds * 1000 > READY_LIMIT_MS) {
      complained = true;
      const says = missing.length === 0 && answer?.body ? ` /readyz says: ${answer.body.trim()}` : '';
      output.say(`Still starting after ${READY_LIMIT_MS / 1000} s: ${missing.join(', ') || 'the gateway'}. What is wrong, if anything is, stands above.${says}`);
    }
    poll = setTimeout(() => void lookWhetherReady(), READY_POLL_MS);
  };
  void lookWhetherReady();

  const engines = programs.filter(({ app }) => !app).flatMap(({ children }) => children);
  return {
    async stop() {
      stopping = true;
      stopLooking.abort();
      clearTimeout(poll);
      watching.close();
      for (const { instances } of programs) instances.close();
      waiting.clear();
      const since = performance.now();
      await Promise.all(programs.filter(({ app }) => app).flatMap(({ children }) => children.map((made) => made.stop(APPS_LIMIT_MS))));
      const left = Math.round(Math.max(ENGINES_LIMIT_MS, APPS_LIMIT_MS + ENGINES_LIMIT_MS - (performance.now() - since)));
      await Promise.all(engines.map((made) => made.stop(left)));
      removePlatformFile(stateDir.path);
      noteProcesses(stateDir.path, all);
    },
    kill() {
      stopping = true;
      stopLooking.abort();
      for (const made of all) made.kill();
      removePlatformFile(stateDir.path);
    },
  };
}
