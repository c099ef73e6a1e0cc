import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startCluster } from './cluster.ts';
import { capacityOf, overload } from './overload.ts';
import type { Row } from './row.ts';
import { measureRows, ROWS } from './rows.ts';
import { table } from './table.ts';

const HELP = `Usage: npx nx run degradation:run [options]

Starts three instances of a service as processes, calls them 300 times a second through a client with every default (an idempotent
method, a deadline of 1 s), lets one fault after the other befall them, and prints what the callers noticed, beside grpc-js alone
with round robin and its own retries. Fails when a bar is missed. Takes up to ten minutes.

Options:
  --rows <names>    only these, with commas between: ${ROWS.join(', ')}
  --rounds <n>      of each fault; the median counts. Default 3
  --seconds <n>     how long p99 is measured in each round. Default 10
  --alone           without grpc-js beside it
  --logs <folder>   keeps the logs of all processes there
  --json            prints the figures as JSON
  --help            prints this

Example: npx nx run degradation:run --rows=stop,slow --rounds=1
`;

/** How the instances for the overload work: capacity is slots × fixed service time, so that the generator does not compete. */
const OVERLOADED = { slots: 10, serviceMs: 100 };

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: ROWS.join(',') },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      alone: { type: 'boolean', default: false },
      logs: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const rows = values.rows.split(',').map((row) => row.trim());
  const unknown = rows.find((row) => !(ROWS as readonly string[]).includes(row));
  if (unknown !== undefined) throw new Error(`There is no row "${unknown}": use some of ${ROWS.join(', ')}.`);
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!(Number.isInteger(rounds) && rounds > 0 && rounds <= 20)) throw new Error(`--rounds=${values.rounds} is no number of rounds: use 1 to 20.`);
  if (!(seconds >= 2 && seconds <= 60)) throw new Error(`--seconds=${values.seconds} cannot be measured: use 2 to 60.`);
  return { ...values, rows, rounds, seconds };
}

/** Runs it, and answers the exit code. */
export async function degradation(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message} "--help" says which options there are.\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { logs, seconds, rounds } = options;
  if (logs !== undefined) await mkdir(logs, { recursive: true });
  const startedAt = performance.now();
  const progress = (what: string): void => void process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${what}\n`);
  const rows: Row[] = [];
  const twice: string[] = [];

  const wanted = options.rows.filter((row) => row !== 'overload');
  if (wanted.length > 0) {
    progress('starting three instances');
    const cluster = await startCluster({ logs });
    try {
      const [talaria, plain] = await Promise.all([cluster.driver('talaria'), options.alone ? undefined : cluster.driver('plain')]);
      const spans = { rounds, healthyMs: 300 * seconds, windowMs: 1_000 * seconds, etcdGoneMs: 6_000 * seconds, stormMs: 600 * seconds };
      rows.push(...(await measureRows(cluster, wanted, { talaria, plain }, { ...spans, onRow: progress })));
      twice.push(...(await cluster.executedTwice()));
    } finally {
      await cluster.stop();
    }
  }
  if (options.rows.includes('overload')) {
    progress('overload');
    const cluster = await startCluster({ ...OVERLOADED, logs });
    try {
      const driver = await cluster.driver('talaria');
      rows.push(await overload(driver, { capacity: capacityOf(cluster, OVERLOADED), healthyMs: 300 * seconds, overloadMs: 3_000 * seconds }));
    } finally {
      await cluster.stop();
    }
  }
  progress('done');
  if (options.json) process.stdout.write(`${JSON.stringify({ rows, executedTwice: twice.length }, undefined, 2)}\n`);
  else process.stdout.write(`${table(rows)}\nCalls that must not be made twice: ${twice.length === 0 ? 'none was' : `${twice.length} WERE`}\n`);
  return rows.some(({ missed }) => missed.length > 0) || twice.length > 0 ? 1 : 0;
}
