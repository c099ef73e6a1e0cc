import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { HealthDefinition } from '@talaria/contracts/health/v1/health';
import { createConnector, grpcTransport, staticResolver } from '@talaria/rpc';
import { load, median } from '../load.ts';
import { table } from '../table.ts';

const HELP = `Usage: npx nx run bench:refusal [--rounds 5] [--seconds 1] [--concurrency 32] [--json]

The CPU time that a server on the grpc-js transport spends on a call: one that is served by a handler that does nothing, and one that is
refused. One server and one client, a process each; both kinds in turns, so that what else the machine does meets both. The median of the
rounds of the ratio. Fails if a refusal costs more than 0.6 of a served call.`;
const BAR = 0.6;

interface Round {
  readonly servedUs: number;
  readonly refusedUs: number;
}

async function ask(server: ChildProcess, what: boolean | 'cpu'): Promise<number> {
  const answered = once(server, 'message') as Promise<[{ cpu: NodeJS.CpuUsage }]>;
  server.send(what);
  const [{ cpu }] = await answered;
  return cpu.user + cpu.system;
}

/** Measures and prints; sets the exit code when the bar is missed. */
export async function refusalBench(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '1' }, concurrency: { type: 'string', default: '32' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const server = fork(new URL('./server.ts', import.meta.url), [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    const [{ address }] = (await Promise.race([once(server, 'message'), once(server, 'exit').then(() => Promise.reject(new Error('The server of the benchmark did not start.')))])) as [{ address: string }];
    const connector = createConnector({ resolver: staticResolver({ [HealthDefinition.fullName]: [address] }), transports: [grpcTransport()], picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }) });
    const client = connector.client(HealthDefinition);
    /** µs of the server's CPU for a call. */
    const cost = async (refuse: boolean, ms: number): Promise<number> => {
      await ask(server, refuse);
      // The bucket has one token.
      if (refuse) await client.check({}).catch(() => {});
      const before = await ask(server, 'cpu');
      const { calls, failed } = await load(() => client.check({}), { concurrency: Number(values.concurrency), ms });
      const after = await ask(server, 'cpu');
      if (failed !== (refuse ? calls : 0)) throw new Error(`${failed} of ${calls} calls failed where ${refuse ? 'all' : 'none'} should have.`);
      return (after - before) / calls;
    };
    const ms = Number(values.seconds) * 1000;
    await cost(false, ms);
    await cost(true, ms);
    const rounds: Round[] = [];
    for (let round = 0; round < Number(values.rounds); round++) rounds.push({ servedUs: await cost(false, ms), refusedUs: await cost(true, ms) });
    await connector.close();
    const result = { servedUs: median(rounds.map(({ servedUs }) => servedUs)), refusedUs: median(rounds.map(({ refusedUs }) => refusedUs)), ratio: median(rounds.map(({ servedUs, refusedUs }) => refusedUs / servedUs)), bar: BAR };
    if (values.json) console.log(JSON.stringify({ ...result, rounds }));
    else console.log(table(['server CPU a call', 'µs'], [['served', result.servedUs.toFixed(1)], ['refused', result.refusedUs.toFixed(1)], ['ratio', `${result.ratio.toFixed(2)} (at most ${BAR})`]]));
    if (result.ratio > BAR) process.exitCode = 1;
  } finally {
    if (server.connected) {
      server.disconnect();
      await once(server, 'exit');
    }
  }
}
