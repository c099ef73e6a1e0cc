import { propagation } from '@opentelemetry/api';

/**
 * The baggage in which a gateway says which versions of services a principal gets: `service.account=2.0.0` (that version) or
 * `service.account!2.0.0` (any other), with commas between several. It is a wish: where nobody can fulfil it, it is passed over.
 */
export const VERSIONS_BAGGAGE = 'talaria-versions';

/** Which version of one service is wanted. */
export interface VersionPreference {
  /** This one, if it is set. */
  readonly only?: string | undefined;
  /** None of these. */
  readonly not: readonly string[];
}

/** Which versions are wanted, by service. */
export type VersionPreferences = ReadonlyMap<string, VersionPreference>;

/** The baggage for preferences; empty for none. */
export function formatVersionPreferences(preferences: VersionPreferences): string {
  return [...preferences].flatMap(([service, { only, not }]) => (only === undefined ? not.map((version) => `${service}!${version}`) : [`${service}=${only}`])).join(',');
}

/** Reads the baggage. What is malformed is left out, and of two that contradict each other the first counts. */
export function parseVersionPreferences(text: string): VersionPreferences {
  const found = new Map<string, VersionPreference>();
  for (const one of text.split(',')) {
    const [, service, operator, version] = /^([^=!,\s]+)([=!])([^=!,\s]+)$/.exec(one) ?? [];
    if (service === undefined || version === undefined) continue;
    const before = found.get(service);
    if (operator === '=') found.set(service, before ?? { only: version, not: [] });
    else if (before?.only === undefined) found.set(service, { not: [...(before?.not ?? []), version] });
  }
  return found;
}

/** Whether an instance of a version is what is wanted. Of one that does not say its version it is only known what it is not. */
export function isPreferred({ only, not }: VersionPreference, version: string | undefined): boolean {
  return only === undefined ? version === undefined || !not.includes(version) : only === version;
}

/** The same object for the same text, so that what was chosen by it can be remembered. There are as many as there are rules at the edge. */
const parsed = new Map<string, VersionPreferences>();
const MOST_PARSED = 100;

/** The preferences of the ambient call; undefined when it has none. */
export function ambientVersionPreferences(): VersionPreferences | undefined {
  const text = propagation.getActiveBaggage()?.getEntry(VERSIONS_BAGGAGE)?.value;
  if (text === undefined) return undefined;
  const known = parsed.get(text);
  if (known) return known;
  if (parsed.size >= MOST_PARSED) parsed.clear();
  const preferences = parseVersionPreferences(text);
  parsed.set(text, preferences);
  return preferences;
}
