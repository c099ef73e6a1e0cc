import { WiringError } from './wiring-error.ts';

/** How far apart things happen: `'500ms'`, `'30s'`, `'5m'`, `'1h'`, `'1d'`, or a number of ms. */
export type Interval = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An interval in ms. Throws a `WiringError` for what is none, and for less than a millisecond. */
export function intervalMs(interval: Interval): number {
  const [, count = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(interval)) ?? [];
  const ms = typeof interval === 'number' ? interval : Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 1) return ms;
  throw new WiringError(`"${interval}" is no interval: use a number of ms, or one such as '500ms', '30s', '5m', '1h' or '1d'.`);
}
