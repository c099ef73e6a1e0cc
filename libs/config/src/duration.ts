import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PATTERN = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** The longest time that Node's timers can wait for, in ms: about 24.8 days. They fire at once for anything longer. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The keyword in a published JSON Schema that says how long a duration may be, `{ "min", "max" }` in ms: a pattern cannot. */
export const DURATION_KEYWORD = 'x-talaria-duration';

/** How long a duration may be. */
export interface DurationOptions {
  /** In ms. Default 0. */
  readonly min?: number;
  /** In ms. Default 2^31 − 1 (24.8 days), the longest that a timer can wait. */
  readonly max?: number;
}

/** The ms of a text such as `500ms`, `10s`, `1.5m`, `1h30m` or `1d`; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 100 || !PATTERN.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) ms += Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  return Number.isFinite(ms) ? ms : undefined;
}

/** A length of time as people write it: `10s`, `1m30s`, `500ms`. Exact. */
export function formatDuration(ms: number): string {
  if (!Number.isInteger(ms) || ms === 0) return `${ms}ms`;
  let rest = ms;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = UNIT_MS[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

/**
 * A length of time: `'500ms'`, `'10s'`, `'1h30m'`, or a number of ms; its value is in ms. For a default use `.default(10_000)` or
 * `.prefault('10s')`.
 */
export function duration({ min = 0, max = LONGEST_TIMER_MS }: DurationOptions = {}): z.ZodType<number, number | string> {
  const bounds = `from ${formatDuration(min)} to ${formatDuration(max)}`;
  const text = z
    .string()
    .regex(PATTERN, 'use a time such as 500ms, 10s, 5m, 1h30m or 1d')
    .transform((given) => parseDuration(given) ?? Number.NaN);
  return z
    .union([z.number(), text], { error: 'use a time such as 500ms, 10s, 5m, 1h30m or 1d, or a number of ms' })
    .refine((ms) => ms >= min && ms <= max, { error: `must be ${bounds}` })
    .meta({ [DURATION_KEYWORD]: { min, max } });
}
