import { parseArgs } from 'node:util';
import { balancedPicker } from '@talaria/resilience';
import type { Candidate, Picker, WireMethod } from '@talaria/rpc';
import { table } from '../table.ts';
import { candidates, FAILURE } from './candidates.ts';
import { takeTurns } from './take-turns.ts';

const HELP = `Usage: npx nx run bench:pick [--rounds 60] [--calls 8000] [--json]

ns for one pick, and for a pick with what is learned from its end, with 3, 20 and 100 endpoints: all well; and with a part of them taken out
of rotation for failing. The first 20 of 100 are used (a subset), so there is a row without subsets too. 8 calls are in flight. Beside it: taking
turns. Both in one process, in turns; of the rounds, which are short, the first quartile counts: a busy machine makes the others longer. Fails if a pick with 100 endpoints takes 1 µs or more.`;
const BAR_NS = 1_000;
const IN_FLIGHT = 8;
const METHOD: WireMethod = { path: '/bench.Bench/Get', requestStream: false, responseStream: false };
const INFO = { method: METHOD, tried: new Set<Candidate>(), hedge: false };

interface Row {
  readonly endpoints: number;
  readonly what: string;
  readonly ejected: number;
  readonly pickNs: number;
  readonly callNs: number;
  readonly turnsNs: number;
}

interface Measured {
  readonly pickNs: number;
  readonly callNs: number;
}

/** The time of picks alone, and with `done`: a batch of picks that stay in flight, then their ends. */
function measure(picker: Picker, list: readonly Candidate[], calls: number): Measured {
  const picked: Candidate[] = new Array<Candidate>(IN_FLIGHT);
  let pickNs = 0n;
  const from = process.hrtime.bigint();
  for (let done = 0; done < calls; done += IN_FLIGHT) {
    const before = process.hrtime.bigint();
    for (let at = 0; at < IN_FLIGHT; at++) picked[at] = picker.pick(list, INFO);
    pickNs += process.hrtime.bigint() - before;
    const now = performance.now();
    for (const candidate of picked) picker.done?.(candidate, { startedAt: now - 2, durationMs: 2 }, METHOD);
  }
  return { pickNs: Number(pickNs) / calls, callNs: Number(process.hrtime.bigint() - from) / calls };
}

/** Lets some fail until as many as may be are out of rotation; answers how many are. */
async function eject(picker: Picker, list: readonly Candidate[], share: number): Promise<number> {
  const bad = new Set(list.filter((_, index) => index % Math.round(1 / share) === 0));
  const ejected = (): number => list.filter((candidate) => picker.describe?.(candidate).state === 'ejected').length;
  for (let round = 0; round < 100 && ejected() < Math.floor(bad.size * 0.8); round++) {
    for (let call = 0; call < 200; call++) {
      const candidate = picker.pick(list, INFO);
      picker.done?.(candidate, { startedAt: performance.now() - 2, durationMs: 2, ...(bad.has(candidate) ? { error: FAILURE } : {}) }, METHOD);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return ejected();
}

const quartile = (values: readonly number[]): number => Math.round(values.toSorted((a, b) => a - b)[values.length >> 2] ?? 0);

async function row(endpoints: number, what: string, options: { readonly subsetSize?: number; readonly failing?: number }, rounds: number, calls: number): Promise<Row> {
  const { failing, ...rest } = options;
  const list = candidates(endpoints);
  const turns = takeTurns();
  const balanced = balancedPicker({ clientId: 'bench', ejection: { baseMs: 60_000, maxMs: 60_000 }, ...rest });
  measure(balanced, list, 50_000);
  const ejected = failing === undefined ? 0 : await eject(balanced, list, failing);
  const found = Array.from({ length: rounds }, () => ({ balanced: measure(balanced, list, calls), turns: measure(turns, list, calls) }));
  return { endpoints, what, ejected, pickNs: quartile(found.map((one) => one.balanced.pickNs)), callNs: quartile(found.map((one) => one.balanced.callNs)), turnsNs: quartile(found.map((one) => one.turns.pickNs)) };
}

/** Runs the benchmark, prints what it found, and sets the exit code. */
export async function pickBench(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '60' }, calls: { type: 'string', default: '8000' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const rounds = Number(values.rounds);
  const calls = Number(values.calls);
  const rows: Row[] = [];
  for (const endpoints of [3, 20, 100]) {
    rows.push(await row(endpoints, 'all are well', {}, rounds, calls));
    rows.push(await row(endpoints, 'some are out', { failing: 0.25 }, rounds, calls));
  }
  rows.push(await row(100, 'all are well, no subset', { subsetSize: 100 }, rounds, calls));
  rows.push(await row(100, 'some are out, no subset', { subsetSize: 100, failing: 0.25 }, rounds, calls));
  const missed = rows.filter(({ pickNs }) => pickNs >= BAR_NS);
  if (missed.length > 0) process.exitCode = 1;
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ barNs: BAR_NS, rows, passed: missed.length === 0 }, null, 2)}\n`);
    return;
  }
  const lines = rows.map(({ endpoints, what, ejected, pickNs, callNs, turnsNs }) => [`${endpoints}, ${what}`, String(ejected), String(pickNs), String(callNs), String(turnsNs)]);
  process.stdout.write(`${table(['endpoints', 'ejected', 'ns a pick', 'ns a pick and its end', 'ns taking turns'], lines)}\n\n`);
  process.stdout.write(missed.length === 0 ? `Every pick takes less than ${BAR_NS} ns.\n` : `Missed: ${missed.map(({ endpoints, what }) => `${endpoints}, ${what}`).join('; ')} (wanted: less than ${BAR_NS} ns a pick).\n`);
}
