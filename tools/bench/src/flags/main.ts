// `npx nx run bench:flags`: how long it takes to ask a flag, beside flagd-core in the same run.
import { parseArgs } from 'node:util';
import { FlagdCore } from '@openfeature/flagd-core';
import type { FlagValueType } from '@openfeature/server-sdk';
import { silentLogger } from '@talaria/base';
import { ASSIGNMENTS_BAGGAGE, featureFlags, memoryFlagSource, parseAssignments, withAssignments } from '@talaria/flags';
import { table } from '../table.ts';
import { EXPERIMENT, FLAGS } from './documents.ts';

const HELP = `Usage: npx nx run bench:flags [--rounds 5] [--calls 200000] [--json]

One evaluation, without I/O, in ns: flagd-core itself; Talaria's resolve (the same code, plus merged documents, experiments and the call
context); and Talaria through the OpenFeature client, with a promise and no hooks. All take turns in one process; p50 and p99 of batches of 50.`;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, calls: { type: 'string', default: '200000' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});
const BATCH = 50;
const CONTEXT = { targetingKey: 'user_01J9ZQ6D3M3V9Y7P0E4W7S2X1A', email: 'ada@example.com', country: 'GB', version: '1.3.0', plan: 'gold' };
/** What is asked, and what the answer is that proves it was. */
const ASKED: readonly (readonly [flag: string, type: FlagValueType, fallback: boolean | string, what: string])[] = [
  ['static', 'boolean', false, 'no targeting'],
  ['targeted', 'boolean', false, 'one condition'],
  ['fractional', 'string', '', 'percentage rollout'],
  ['versioned', 'string', '', 'semantic version'],
  ['nested', 'string', '', 'conditions and a rollout'],
  ['experiment', 'boolean', false, 'an experiment, by its bucket'],
];

interface Peer {
  readonly name: string;
  ask(flag: string, type: FlagValueType, fallback: boolean | string): unknown;
}

/** ns an evaluation, a batch each. */
async function measure(peer: Peer, [flag, type, fallback]: (typeof ASKED)[number], calls: number): Promise<number[]> {
  const batches: number[] = [];
  for (let done = 0; done < calls; done += BATCH) {
    const from = process.hrtime.bigint();
    for (let at = 0; at < BATCH; at++) {
      const answer = peer.ask(flag, type, fallback);
      if (answer instanceof Promise) await answer;
    }
    batches.push(Number(process.hrtime.bigint() - from) / BATCH);
  }
  return batches;
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

async function main(): Promise<void> {
  const flagd = new FlagdCore(undefined, { error() {}, warn() {}, info() {}, debug() {} });
  flagd.setConfigurations(JSON.stringify(FLAGS));
  const source = memoryFlagSource(FLAGS);
  source.setExperiment('experiment', EXPERIMENT);
  const flags = featureFlags({ source });
  await flags.start({ service: 'service.bench', instance: 'inst_bench', log: silentLogger, env: {} }, AbortSignal.timeout(10_000));
  const client = flags.client();
  const decided = parseAssignments(flags.baggage({ customer: CONTEXT.targetingKey })[ASSIGNMENTS_BAGGAGE] ?? '');

  const peers: readonly Peer[] = [
    { name: 'flagd-core', ask: (flag, type, fallback) => flagd.resolve(type, flag, fallback, CONTEXT) },
    { name: 'resolve', ask: (flag, type, fallback) => flags.resolve(type, flag, fallback, CONTEXT) },
    { name: 'OpenFeature client', ask: (flag, type, fallback) => (type === 'boolean' ? client.getBooleanDetails(flag, fallback as boolean, CONTEXT) : client.getStringDetails(flag, fallback as string, CONTEXT)) },
  ];
  const inCall: Peer = { name: 'resolve', ask: (flag, type, fallback) => flags.resolve(type, flag, fallback, CONTEXT) };
  const found = new Map<string, number[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const asked of ASKED) {
      for (const peer of peers) {
        const key = `${asked[0]} ${peer.name}`;
        const batches = await measure(peer, asked, Number(values.calls) / Number(values.rounds));
        // The first round is for the compiler.
        if (round > 0) found.set(key, [...(found.get(key) ?? []), ...batches]);
      }
    }
    const batches = await withAssignments(decided, () => measure(inCall, ASKED.at(-1) as (typeof ASKED)[number], Number(values.calls) / Number(values.rounds)));
    if (round > 0) found.set('baggage resolve', [...(found.get('baggage resolve') ?? []), ...batches]);
  }
  await flags.stop();

  const result = (key: string): { readonly p50: number; readonly p99: number } | undefined => {
    const sorted = found.get(key)?.toSorted((a, b) => a - b);
    return sorted && { p50: Math.round(quantile(sorted, 0.5)), p99: Math.round(quantile(sorted, 0.99)) };
  };
  const rows = [
    ...ASKED.map(([flag, , , what]) => ({ what, ...Object.fromEntries(peers.map(({ name }) => [name, flag === 'experiment' && name === 'flagd-core' ? undefined : result(`${flag} ${name}`)])) })),
    { what: 'an experiment, decided at the edge', resolve: result('baggage resolve') },
  ] as readonly ({ readonly what: string } & Readonly<Record<string, ReturnType<typeof result> | string>>)[];
  if (values.json) {
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  const cell = (value: ReturnType<typeof result> | string): string => (typeof value === 'object' ? `${value.p50} / ${value.p99}` : '-');
  const worst = Math.max(...rows.map(({ resolve }) => (typeof resolve === 'object' ? resolve.p50 : 0)));
  process.stdout.write(`ns an evaluation, p50 / p99\n\n${table(['what is asked', 'flagd-core', "Talaria's resolve", 'through the OpenFeature client'], rows.map((row) => [row.what, cell(row['flagd-core']), cell(row['resolve']), cell(row['OpenFeature client'])]))}\n\n`);
  process.stdout.write(`The slowest evaluation without I/O takes ${(worst / 1000).toFixed(2)} µs at p50 (wanted: 2 µs at most).\n`);
}

if (values.help) process.stdout.write(`${HELP}\n`);
else await main();
