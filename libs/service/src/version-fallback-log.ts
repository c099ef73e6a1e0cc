import type { Logger } from '@talaria/base';
import type { VersionFallback } from '@talaria/rpc';

/** More different ones are not remembered: who sends that many means no good. */
const MOST_KNOWN = 1_000;

/** Says once of each version that calls preferred and that nobody runs. */
export function versionFallbackLog(log: Logger): (fallback: VersionFallback) => void {
  const known = new Set<string>();
  return ({ contract, service, wanted }) => {
    const key = `${contract} ${service}${wanted}`;
    if (known.has(key) || known.size >= MOST_KNOWN) return;
    known.add(key);
    log.warn('a call prefers a version that nobody could give it: such calls go to any', { contract, wanted: `${service}${wanted}` });
  };
}
