import type { Latencies, LoadResult, Tick } from '@talaria/load';
import { printable, table, type Style } from '../terminal.ts';
import type { LoadPlan } from './load-options.ts';

/** Which percentiles are shown. */
export const PERCENTILES = [
  ['p50', 50],
  ['p90', 90],
  ['p99', 99],
  ['p99.9', 99.9],
] as const;

/** A time for people: `0.42 ms`, `12.3 ms`, `1.20 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

const count = (value: number): string => value.toLocaleString('en');
const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(1))} s`;

/** How it goes, in a line. */
export function tickLine({ elapsedMs, inFlight, recent }: Tick, { warmupMs, durationMs }: LoadPlan, style: Style): string {
  const second = Math.floor(elapsedMs / 1000) * 1000;
  const at = `${seconds(second)} of ${seconds(warmupMs + durationMs)}`;
  if (second <= warmupMs) return `${at}  warming up  in flight ${inFlight}`;
  const ended = recent.succeeded + recent.failed;
  const parts = [at, `${count(ended)}/s`, `p50 ${milliseconds(recent.latency.percentileMs(50))}`, `p99 ${milliseconds(recent.latency.percentileMs(99))}`, `max ${milliseconds(recent.latency.maxMs)}`, `in flight ${inFlight}`];
  if (recent.failed > 0) parts.push(style.bad(`failed ${count(recent.failed)}`));
  if (recent.dropped > 0) parts.push(style.bad(`dropped ${count(recent.dropped)}`));
  return parts.join('  ');
}

function row(name: string, latency: Latencies): readonly string[] {
  return [name, count(latency.count), ...PERCENTILES.map(([, percent]) => milliseconds(latency.percentileMs(percent))), milliseconds(latency.maxMs)];
}

/** What makes the figures mean less than they seem to. */
export function warnings({ keptUp, lag, dropped, unfinished, interrupted, elapsedMs }: LoadResult, { maxInFlight }: LoadPlan): readonly string[] {
  return [
    ...(keptUp ? [] : [`This machine did not keep up: its calls began late (p99 ${milliseconds(lag.percentileMs(99))}, max ${milliseconds(lag.maxMs)}), which is part of the latencies. Give a lower --rate, or make the load elsewhere.`]),
    ...(dropped > 0 ? [`${count(dropped)} calls were not made, since ${count(maxInFlight)} were in flight (--max-in-flight): they are in no latency, and would have been slow.`] : []),
    ...(unfinished > 0 ? [`${count(unfinished)} calls had no end when the load was over, and were given up: they are in no latency.`] : []),
    ...(interrupted ? [`It was ended after ${seconds(elapsedMs)}.`] : []),
  ];
}

/** What became of it, for people. */
export function summary(name: string, result: LoadResult, plan: LoadPlan, style: Style): string {
  const { rate, achievedRate, elapsedMs, intended, succeeded, failed, dropped, unfinished, errors, latency } = result;
  const facts = [
    ['calls', count(intended), `${count(Number(rate.toFixed(2)))}/s wanted, ${achievedRate.toFixed(1)}/s made, over ${seconds(elapsedMs)}${plan.arrivals === 'poisson' ? ', Poisson arrivals' : ''}`],
    ['succeeded', count(succeeded), ''],
    ['failed', failed > 0 ? style.bad(count(failed)) : '0', Object.entries(errors).map(([code, times]) => `${code} ${count(times)}`).join(', ')],
    ...(dropped > 0 ? [['dropped', style.bad(count(dropped)), '']] : []),
    ...(unfinished > 0 ? [['unfinished', style.bad(count(unfinished)), '']] : []),
  ];
  const lines = facts.map(([what = '', number = '', more = '']) => `${what.padEnd(11)}${number}${more === '' ? '' : `  ${style.dim(printable(more))}`}\n`).join('');
  const rows = [['latency', 'calls', ...PERCENTILES.map(([label]) => label), 'max'], row(failed > 0 ? 'all' : '', latency.all), ...(failed > 0 ? [row('succeeded', latency.succeeded), row('failed', latency.failed)] : [])];
  const notes = warnings(result, plan).map((each) => `${style.bad(each)}\n`).join('');
  return `${style.strong(printable(name))}\n${lines}\n${table(rows, style)}${notes === '' ? '' : `\n${notes}`}`;
}

function latencyJson(latency: Latencies): Readonly<Record<string, number>> {
  const rounded = (ms: number): number => Number(ms.toFixed(3));
  return { count: latency.count, mean: rounded(latency.meanMs), min: rounded(latency.minMs), ...Object.fromEntries(PERCENTILES.map(([label, percent]) => [label.replace('.', '_'), rounded(latency.percentileMs(percent))])), max: rounded(latency.maxMs) };
}

/** What became of it, for programs: names in snake case, times in ms. */
export function resultJson(name: string, { rate, achievedRate, elapsedMs, intended, succeeded, failed, dropped, unfinished, errors, latency, lag, keptUp, interrupted, seconds: each }: LoadResult, plan: LoadPlan): unknown {
  return {
    method: name,
    rate,
    arrivals: plan.arrivals,
    achieved_rate: Number(achievedRate.toFixed(3)),
    duration_ms: Math.round(elapsedMs),
    warmup_ms: plan.warmupMs,
    intended,
    succeeded,
    failed,
    dropped,
    unfinished,
    errors,
    latency_ms: { all: latencyJson(latency.all), succeeded: latencyJson(latency.succeeded), failed: latencyJson(latency.failed) },
    lag_ms: latencyJson(lag),
    kept_up: keptUp,
    interrupted,
    seconds: each.map(({ atMs, p50Ms, p90Ms, p99Ms, maxMs, ...counts }) => ({ at_ms: atMs, ...counts, p50_ms: p50Ms, p90_ms: p90Ms, p99_ms: p99Ms, max_ms: maxMs })),
  };
}
