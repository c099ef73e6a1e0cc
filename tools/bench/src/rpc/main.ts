// `npx nx run bench:rpc`: unary calls a second, beside grpc-js and nice-grpc in the same run.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateServiceKey, generateTokenKey } from '@talaria/auth';
import { load, median, type LoadResult } from '../load.ts';
import { table } from '../table.ts';
import { STACKS, type BenchKeys, type Stack } from './stacks.ts';

const HELP = `Usage: npx nx run bench:rpc [--seconds 2] [--rounds 3] [--concurrency 64] [--json]

Unary calls (a request of 160 bytes) between two processes: grpc-js, nice-grpc, Talaria's rpc bare, and a Talaria service
with every default on (deadline on the wire, trace, log, caller and principal verified, rules, validation). The stacks take
turns; the median of the rounds is printed, and the ratio to grpc-js in the same round.`;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '3' }, concurrency: { type: 'string', default: '64' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});
const REQUEST = { description: 'x'.repeat(157) };
const WARM_UP_MS = 1000;

/** A round of one stack; CPU in µs a call. */
interface Round extends LoadResult {
  readonly clientCpu: number;
  readonly serverCpu: number;
}

const total = ({ user, system }: NodeJS.CpuUsage): number => user + system;

async function round(stack: Stack, keys: BenchKeys): Promise<Round> {
  const server = fork(join(import.meta.dirname, 'server.ts'), [stack.name, JSON.stringify(keys)]);
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    const serverCpu = async (): Promise<number> => {
      server.send('cpu');
      const [{ cpu }] = (await once(server, 'message')) as [{ cpu: NodeJS.CpuUsage }];
      return total(cpu);
    };
    const call = await stack.connect(port, keys);
    const concurrency = Number(values.concurrency);
    await load(() => call(REQUEST), { concurrency, ms: WARM_UP_MS });
    const [clientBefore, serverBefore] = [total(process.cpuUsage()), await serverCpu()];
    const result = await load(() => call(REQUEST), { concurrency, ms: Number(values.seconds) * 1000 });
    return { ...result, clientCpu: (total(process.cpuUsage()) - clientBefore) / result.calls, serverCpu: ((await serverCpu()) - serverBefore) / result.calls };
  } finally {
    server.kill('SIGKILL');
  }
}

async function main(): Promise<void> {
  const keys = { server: await generateServiceKey('service.bench-server'), client: await generateServiceKey('service.bench-client'), passports: await generateTokenKey() };
  const rounds = new Map<string, Round[]>(STACKS.map(({ name }) => [name, []]));
  for (let index = 0; index < Number(values.rounds); index++) {
    for (const stack of STACKS) {
      if (!values.json) process.stderr.write(`round ${index + 1} of ${values.rounds}: ${stack.name}\n`);
      rounds.get(stack.name)?.push(await round(stack, keys));
    }
  }
  const base = rounds.get(STACKS[0]?.name ?? '') ?? [];
  const results = [...rounds].map(([name, all]) => {
    const of = (field: keyof Round): number => median(all.map((each) => each[field]));
    const ratio = median(all.map((each, index) => each.callsPerSecond / (base[index]?.callsPerSecond ?? Number.NaN)));
    const failed = all.reduce((sum, each) => sum + each.failed, 0);
    return { name, callsPerSecond: of('callsPerSecond'), ratio, p50Ms: of('p50Ms'), p99Ms: of('p99Ms'), clientCpuMicros: of('clientCpu'), serverCpuMicros: of('serverCpu'), failed };
  });
  if (values.json) console.log(JSON.stringify(results, undefined, 2));
  else {
    const rows = results.map((each) => [
      each.name,
      each.callsPerSecond.toFixed(0),
      `${each.ratio.toFixed(2)}x`,
      each.p50Ms.toFixed(2),
      each.p99Ms.toFixed(2),
      each.clientCpuMicros.toFixed(0),
      each.serverCpuMicros.toFixed(0),
      String(each.failed),
    ]);
    console.log(table(['unary calls', 'calls/s', 'vs grpc-js', 'p50 ms', 'p99 ms', 'client CPU µs', 'server CPU µs', 'failed'], rows));
  }
  process.exit(results.some(({ failed }) => failed > 0) ? 1 : 0);
}

if (values.help) console.log(HELP);
else await main();
