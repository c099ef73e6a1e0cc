// `npx nx run bench:start`: what the built bundle of each app costs to start and to keep, and which dependency costs it.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, bundleContents } from '@talaria/bundle';
import { median } from '../load.ts';
import { table } from '../table.ts';
import { startEngines, type Engines } from './engines.ts';
import { profileCpu, profileHeap } from './profile.ts';
import { sampleStart, startProgram, type StartSample } from './program.ts';

const HELP = `Usage: npx nx run bench:start [--runs 5] [--top 15] [--json] [app…]

Bundles each app (default: all), starts it with etcd and PostgreSQL up (ETCD_ENDPOINTS and DATABASE_URL, else embedded ones) and
with auth-service running, and prints from its start to ready, the CPU time of that, and its resident memory 3 s later. Then,
dependency by dependency: bytes of code that each start reads (and that are read only when needed), where the time goes, and
whose objects are on the heap. The first start, which makes the database, does not count.

  --runs N    starts of each app; default 5
  --top N     dependencies to show of each app; default 15, 0 for none
  --json      everything, for programs
  --help      this text`;

/** What a bundle may take. */
const BAR = { readyMs: 1_000, idleMb: 120 };
const AUTH = 'auth-service';

interface App {
  readonly name: string;
  readonly folder: string;
  /** Such as `service.account`. */
  readonly service: string;
}

interface AppResult {
  readonly app: string;
  readonly samples: readonly StartSample[];
  readonly dependencies: readonly Dependency[];
}

interface Dependency {
  readonly name: string;
  readonly eagerBytes: number;
  readonly lazyBytes: number;
  readonly startMs: number;
  readonly heapKb: number;
}

function findApps(root: string, wanted: readonly string[]): App[] {
  const all = globSync('apps/*/package.json', { cwd: root }).map((file) => {
    const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as { readonly talaria?: { readonly service?: string } };
    return { name: basename(dirname(file)), folder: join(root, dirname(file)), service: manifest.talaria?.service ?? basename(dirname(file)) };
  });
  const unknown = wanted.filter((name) => all.every((app) => app.name !== name));
  if (unknown.length > 0) throw new Error(`There is no app ${unknown.join(', ')}: name one of ${all.map(({ name }) => name).sort().join(', ')}.`);
  // Others fetch keys from it when they start.
  return all.sort((a, b) => Number(b.name === AUTH) - Number(a.name === AUTH) || a.name.localeCompare(b.name));
}

async function measure({ name, folder, service }: App, engines: Engines, runs: number, detailed: boolean): Promise<AppResult> {
  const { eager, lazy } = bundleContents(await bundle(folder));
  const file = join(folder, 'dist/main.js');
  const env = engines.environment(service);
  await sampleStart([file], env);
  const samples: StartSample[] = [];
  for (let run = 0; run < runs; run++) samples.push(await sampleStart([file], env));
  const [cpu, heap] = detailed ? [await profileCpu(file, env), await profileHeap(file, env)] : [new Map<string, number>(), new Map<string, number>()];
  const names = new Set([...eager.keys(), ...lazy.keys(), ...cpu.keys(), ...heap.keys()]);
  const dependencies = [...names].map((each) => ({ name: each, eagerBytes: eager.get(each) ?? 0, lazyBytes: lazy.get(each) ?? 0, startMs: cpu.get(each) ?? 0, heapKb: heap.get(each) ?? 0 }));
  // One number to sort by: about what each of them adds to what a start costs.
  const weight = ({ eagerBytes, startMs, heapKb }: Dependency): number => eagerBytes / 10_000 + startMs + heapKb / 50;
  return { app: name, samples, dependencies: dependencies.sort((a, b) => weight(b) - weight(a)) };
}

function summary(results: readonly AppResult[]): string {
  const figures = results.map(({ app, samples, dependencies }) => {
    const of = (key: keyof StartSample): number[] => samples.map((sample) => sample[key]).sort((a, b) => a - b);
    const ready = of('readyMs');
    const [most, idle] = [median(ready), Math.max(...of('idleMb'))];
    return [
      app,
      ready[0]?.toFixed(0) ?? '',
      most.toFixed(0),
      ready.at(-1)?.toFixed(0) ?? '',
      median(of('cpuMs')).toFixed(0),
      idle.toFixed(1),
      (dependencies.reduce((sum, { eagerBytes }) => sum + eagerBytes, 0) / 1e6).toFixed(2),
      most <= BAR.readyMs && idle <= BAR.idleMb ? 'yes' : 'NO',
    ];
  });
  return table(['app', 'ready ms min', 'median', 'max', 'CPU ms', 'idle MB max', 'code MB', `≤ ${BAR.readyMs} ms, ≤ ${BAR.idleMb} MB`], figures);
}

function details({ app, dependencies }: AppResult, top: number): string {
  const rest = dependencies.slice(top);
  const sum = (key: 'eagerBytes' | 'lazyBytes' | 'startMs' | 'heapKb'): number => rest.reduce((total, each) => total + each[key], 0);
  const others: Dependency = { name: `${rest.length} others`, eagerBytes: sum('eagerBytes'), lazyBytes: sum('lazyBytes'), startMs: sum('startMs'), heapKb: sum('heapKb') };
  const rows = [...dependencies.slice(0, top), others];
  return `${table(
    [app, 'code KB', 'only when needed', 'start ms', 'heap KB'],
    rows.map((row) => [row.name, (row.eagerBytes / 1000).toFixed(0), (row.lazyBytes / 1000).toFixed(0), row.startMs.toFixed(1), row.heapKb.toFixed(0)]),
  )}\n`;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { runs: { type: 'string', default: '5' }, top: { type: 'string', default: '15' }, json: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const root = resolve(import.meta.dirname, '../../../..');
  if (!existsSync(join(root, 'apps'))) throw new Error(`There are no apps below ${root}.`);
  const [runs, top] = [Number(values.runs), Number(values.top)];
  if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(top) || top < 0) throw new Error('--runs takes a whole number from 1, --top one from 0.');
  const note = (text: string): void => void (values.json || process.stderr.write(`${text}\n`));

  const apps = findApps(root, positionals);
  note('starting etcd and PostgreSQL');
  const engines = await startEngines(root, apps.map(({ service }) => service));
  const results: AppResult[] = [];
  let auth: { stop(): Promise<void> } | undefined;
  try {
    for (const app of apps) {
      if (positionals.length === 0 || positionals.includes(app.name)) {
        note(`starting ${app.name}, ${runs + 1} times`);
        results.push(await measure(app, engines, runs, top > 0));
      } else if (app.name === AUTH) await bundle(app.folder);
      if (app.name === AUTH) auth = await startProgram([join(app.folder, 'dist/main.js')], engines.environment(app.service));
    }
  } finally {
    await auth?.stop();
    await engines.stop();
  }
  if (values.json) console.log(JSON.stringify({ node: process.version, bar: BAR, results }, undefined, 2));
  else {
    console.log(`${summary(results)}\n`);
    if (top > 0) console.log(`By dependency; times are those of a start under the profiler, which is slower, and without a package's name Node's own:\n`);
    if (top > 0) for (const result of results) console.log(details(result, top));
  }
  return 0;
}

process.exitCode = await main();
