import { parseDuration } from '@talaria/config';
import type { Arrivals } from '@talaria/load';
import { CliError } from '../cli-error.ts';

/** What the user may say. */
export interface LoadOptions {
  readonly rate: string;
  readonly duration: string;
  /** JSON, `@file`, or `-` for standard input. */
  readonly data?: string;
  /** A client; false: for nobody. */
  readonly as: string | false;
  readonly secret?: string;
  readonly header?: readonly string[];
  readonly deadline?: string;
  readonly warmup?: string;
  readonly arrivals?: string;
  readonly maxInFlight?: string;
  /** Of a server that is not on the platform: `host:port`. */
  readonly address?: string;
  readonly probe: boolean;
  readonly allowErrors?: boolean;
  readonly json?: boolean;
  /** The file to write. */
  readonly svg?: string;
}

/** What that means. */
export interface LoadPlan {
  /** Calls a second. */
  readonly rate: number;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly deadlineMs: number | undefined;
  readonly arrivals: Arrivals;
  readonly maxInFlight: number;
}

/** Above this one process makes no load but measures itself. */
const MAX_RATE = 20_000;
const MAX_IN_FLIGHT = 100_000;
const DAY_MS = 86_400_000;

function timeOf(option: string, text: string): number {
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms === undefined || !(ms > 0)) throw new CliError(`${option} ${text} is no time: write one such as 500ms, 30s, 5m or 1h, or a number of seconds.`, 2);
  if (ms > DAY_MS) throw new CliError(`${option} ${text} is longer than a day: give a shorter one.`, 2);
  return ms;
}

function rateOf(text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)(?:\/(s|m))?$/.exec(text) ?? [];
  const rate = Number(number) / (unit === 'm' ? 60 : 1);
  if (!(rate > 0) || number === '') throw new CliError(`--rate ${text} is no rate: write calls a second, such as 300 or 0.5, or a minute, such as 30/m.`, 2);
  if (rate > MAX_RATE) throw new CliError(`--rate ${text} is more than one process can make and measure: ${MAX_RATE} calls a second are the most.`, 2);
  return rate;
}

function inFlightOf(text: string): number {
  const found = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (found < 1 || found > MAX_IN_FLIGHT) throw new CliError(`--max-in-flight ${text} is none: give a number from 1 to ${MAX_IN_FLIGHT}.`, 2);
  return found;
}

/** Reads them. Throws a `CliError` that says what to write instead. */
export function loadPlan({ rate: rateText, duration, warmup, deadline, arrivals = 'fixed', maxInFlight = '10000' }: LoadOptions): LoadPlan {
  const [rate, durationMs] = [rateOf(rateText), timeOf('--duration', duration)];
  if (rate * durationMs < 1000) throw new CliError(`--rate ${rateText} for ${duration} is less than one call: give a higher rate, or a longer duration.`, 2);
  if (arrivals !== 'fixed' && arrivals !== 'poisson') throw new CliError(`--arrivals ${arrivals} is not known: write fixed or poisson.`, 2);
  return {
    rate,
    durationMs,
    warmupMs: warmup === undefined ? 0 : timeOf('--warmup', warmup),
    deadlineMs: deadline === undefined ? undefined : timeOf('--deadline', deadline),
    arrivals,
    maxInFlight: inFlightOf(maxInFlight),
  };
}
