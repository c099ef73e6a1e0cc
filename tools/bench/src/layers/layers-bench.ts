import { parseArgs } from 'node:util';
import { installContext, runInCall } from '@talaria/context';
import { table } from '../table.ts';
import { clientSide } from './client-side.ts';
import { measure } from './measure.ts';
import { serverSide } from './server-side.ts';

const HELP = `Usage: npx nx run bench:layers [--rounds 9] [--calls 10000] [--json]

The CPU, in us a call, that each layer adds to a call that goes well: over a transport that moves nothing and with a codec that costs nothing, so
that these, spans, validation and log lines stay apart. A client with the layer beside one without it, in turns; the median of the rounds.
All layers together are measured, too. Fails if those of one side take more than 4 us.`;
const BAR_US = 4;

interface Row {
  readonly side: 'client' | 'server';
  readonly layer: string;
  readonly us: number;
  /** Not on every call: left out of the sums. */
  readonly apart?: boolean;
}

async function measured(rounds: number, calls: number): Promise<{ readonly rows: readonly Row[]; readonly together: { readonly client: number; readonly server: number } }> {
  installContext();
  const clients = clientSide();
  const servers = await serverSide();
  const hangUp = new AbortController();
  // As in a handler: with a deadline and a signal to inherit.
  const client = await runInCall({ deadline: performance.now() + 600_000, signal: hangUp.signal }, () => measure(clients, rounds, calls));
  const server = await measure(servers, rounds, calls);
  for (const { close } of [...clients, ...servers]) await close?.();
  return {
    rows: [
      { side: 'client', layer: 'attempts: a limit of each, a hedge that is not needed', us: client('attempts', 'direct') },
      { side: 'client', layer: 'call policy: breaker, budget, quantiles', us: client('policy', 'attempts') },
      { side: 'client', layer: 'picker', us: client('picker', 'attempts') },
      { side: 'client', layer: 'fallback: an answer of its own', us: client('fallback', 'attempts') },
      { side: 'client', layer: 'faults, switched off', us: client('faults', 'attempts') },
      { side: 'client', layer: 'fallback: the last good answer, encoded and kept', us: client('stale', 'attempts'), apart: true },
      { side: 'server', layer: 'admission', us: server('admission', 'none') },
      { side: 'server', layer: 'faults, switched off', us: server('faults', 'none') },
      { side: 'server', layer: 'priority: one of the contract', us: server('urgent', 'none') },
      { side: 'server', layer: 'priority: none', us: server('priority', 'none'), apart: true },
    ],
    together: { client: client('all', 'direct'), server: server('all', 'none') },
  };
}

/** Runs the benchmark, prints what it found, and sets the exit code. */
export async function layersBench(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '9' }, calls: { type: 'string', default: '10000' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const { rows, together } = await measured(Number(values.rounds), Number(values.calls));
  const sides = (['client', 'server'] as const).map((side) => ({
    side,
    sumUs: rows.filter((row) => row.side === side && !row.apart).reduce((sum, { us }) => sum + us, 0),
    togetherUs: together[side],
  }));
  const missed = sides.filter(({ sumUs, togetherUs }) => Math.max(sumUs, togetherUs) > BAR_US);
  if (missed.length > 0) process.exitCode = 1;
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ barUs: BAR_US, rows, sides, passed: missed.length === 0 }, null, 2)}\n`);
    return;
  }
  const lines = rows.map(({ side, layer, us, apart }) => [`${side}: ${layer}`, us.toFixed(2), apart ? 'not in the sum' : '']);
  const sums = sides.flatMap(({ side, sumUs, togetherUs }) => [[`${side}: sum`, sumUs.toFixed(2), ''], [`${side}: all together`, togetherUs.toFixed(2), '']]);
  process.stdout.write(`${table(['layer', 'us of CPU a call', ''], [...lines, ...sums])}\n\n`);
  process.stdout.write(missed.length === 0 ? `Each side takes at most ${BAR_US} us.\n` : `Missed: ${missed.map(({ side }) => side).join(' and ')} (wanted: at most ${BAR_US} us of CPU a call).\n`);
}
