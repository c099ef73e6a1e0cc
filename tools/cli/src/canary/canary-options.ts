import { formatDuration, parseDuration } from '@talaria/config';
import { CliError } from '../cli-error.ts';
import { type Limits } from './verdict.ts';

/** What the user may say. */
export interface CanaryOptions {
  /** Percents, with commas between them. */
  readonly steps: string;
  readonly every: string;
  readonly minCalls: string;
  readonly maxErrorIncrease: string;
  readonly maxP99Ratio: string;
  readonly maxWait?: string;
  /** How long to wait for the first instance of the version; true: 10 minutes. */
  readonly wait?: string | true;
  readonly why?: string;
}

/** The same, read. */
export interface CanaryPlan extends Limits {
  /** Shares from 0 to 1, ever greater; the last is 1. */
  readonly steps: readonly number[];
  readonly everyMs: number;
  /** How long a step may take at most until there are enough calls, in ms. */
  readonly maxWaitMs: number;
  /** In ms; undefined: the version must run already. */
  readonly waitMs: number | undefined;
}

const WAIT_MS = 600_000;

function duration(option: string, text: string): number {
  const found = parseDuration(text);
  if (found === undefined || found <= 0) throw new CliError(`${option} ${text} is no time: write it such as 30s, 5m or 1h.`, 2);
  return found;
}

function number(option: string, text: string, least: number, example: string): number {
  const found = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(found) || found < least) throw new CliError(`${option} ${text} must be a number from ${String(least)} on, such as ${example}.`, 2);
  return found;
}

function stepsOf(text: string): readonly number[] {
  const percents = text.split(',').map((one) => (one.trim() === '' ? Number.NaN : Number(one)));
  const rising = percents.every((one, index) => one > (percents[index - 1] ?? 0) && one <= 100);
  if (!rising || percents.at(-1) !== 100) throw new CliError(`--steps ${text} must be percents that grow and end with 100, such as 1,5,25,50,100.`, 2);
  if (percents.length === 1) throw new CliError('With --steps 100 nobody would be left to compare with: begin with less, such as 10,100.', 2);
  return percents.map((one) => one / 100);
}

/** Reads the options; throws a `CliError` that says what is wrong. */
export function canaryPlan(options: CanaryOptions): CanaryPlan {
  const everyMs = duration('--every', options.every);
  const maxWaitMs = options.maxWait === undefined ? Math.max(everyMs * 10, WAIT_MS) : duration('--max-wait', options.maxWait);
  if (maxWaitMs < everyMs) throw new CliError(`--max-wait ${formatDuration(maxWaitMs)} is less than a step takes anyway (--every ${formatDuration(everyMs)}).`, 2);
  return {
    steps: stepsOf(options.steps),
    everyMs,
    maxWaitMs,
    waitMs: options.wait === undefined ? undefined : options.wait === true ? WAIT_MS : duration('--wait', options.wait),
    minCalls: number('--min-calls', options.minCalls, 1, '100'),
    maxErrorIncrease: number('--max-error-increase', options.maxErrorIncrease, 0, '1 (percent)') / 100,
    maxP99Ratio: number('--max-p99-ratio', options.maxP99Ratio, 1, '1.5'),
  };
}
