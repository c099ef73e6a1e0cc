import { CliError } from './cli-error.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1000, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds from `10`, `0.5` (seconds), `500ms`, `30s`, `5m` or `1h`. Throws a `CliError` for anything else. */
export function timeLimitMs(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (!(ms > 0)) throw new CliError(`--timeout ${text} is no time: give seconds, such as --timeout 10, or a number with ms, s, m or h.`, 2);
  return ms;
}
