const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How long after a failed attempt the next one follows, unless a setting says otherwise. Source: Standard Webhooks 1.0.0, "Retries". */
export const DELAYS_MS: readonly number[] = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/** Spreads receivers that failed together: ±20%, as Svix does. */
const JITTER = 0.2;

/** The longest pause that a receiver may ask for with Retry-After. */
const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/** How long to wait after attempt `attempt` (1 = the first) failed, in ms, by the delays that hold now; undefined if it was the last. */
export function nextDelay(delaysMs: readonly number[], attempt: number, retryAfterMs = 0, random: () => number = Math.random): number | undefined {
  const delay = delaysMs[attempt - 1];
  if (delay === undefined) return undefined;
  const jittered = delay * (1 + JITTER * (2 * random() - 1));
  return Math.max(jittered, Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS));
}

/** What the header Retry-After asks for, in ms: seconds or a date (RFC 9110, section 10.2.3); 0 for none or nonsense. */
export function retryAfter(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  if (/^\d+$/.test(header)) return Number(header) * SECOND;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
