import { unavailable } from '@talaria/errors';
import type { Candidate } from './picker.ts';
import type { Endpoint } from './resolver.ts';
import { ambientVersionPreferences, isPreferred, type VersionPreferences } from './version-preferences.ts';

/** Which instances a call may go to, and who wants to know where it went. It holds for this call alone, and not for those that it leads to. */
export interface CallTarget {
  /** Only instances of this version. Where there is none, the call fails with `unavailable.no_instances`. Default: what the ambient call prefers, if anything. */
  readonly version?: string | undefined;
  /** Only the instance with this id, such as `inst_01J…`. Where it is not there, the call fails with `unavailable.no_instances`. Default: any. */
  readonly instance?: string | undefined;
  /** Told of each attempt, before it is made, to which endpoint it goes. */
  readonly onAttempt?: ((endpoint: Endpoint) => void) | undefined;
  /** Told if the server that a stream is on begins to go away: the stream goes on for some seconds, and is cut then, so that it had better be begun anew elsewhere. */
  readonly onLeaving?: (() => void) | undefined;
}

/** What a call asked for (it fails without), or what its principal's calls prefer (passed over where nobody has it). */
export type Choice = { readonly version: string | undefined; readonly instance: string | undefined; readonly preferred?: undefined } | { readonly preferred: VersionPreferences };

/** The choice of a call; undefined for nearly all calls, which go to anybody. */
export function choiceOf({ version, instance }: CallTarget): Choice | undefined {
  if (version !== undefined || instance !== undefined) return { version, instance };
  const preferred = ambientVersionPreferences();
  return preferred && { preferred };
}

/** A version that a call preferred and that nobody could give it. */
export interface VersionFallback {
  readonly contract: string;
  readonly service: string;
  /** As in the baggage: `=2.0.0`, `!2.0.0`. */
  readonly wanted: string;
}

/** Those of `candidates` that a choice allows. */
export function allowed(candidates: readonly Candidate[], choice: Choice): readonly Candidate[] {
  const { preferred } = choice;
  if (!preferred) return candidates.filter(({ endpoint }) => (choice.instance ?? endpoint.instance) === endpoint.instance && (choice.version ?? endpoint.version) === endpoint.version);
  return candidates.filter(({ endpoint }) => {
    const preference = endpoint.service === undefined ? undefined : preferred.get(endpoint.service);
    return !preference || isPreferred(preference, endpoint.version);
  });
}

/** Says which wishes nobody could fulfil. */
export function fallbacks(contract: string, candidates: readonly Candidate[], preferred: VersionPreferences): readonly VersionFallback[] {
  const services = new Set(candidates.map(({ endpoint }) => endpoint.service));
  return [...services].flatMap((service) => {
    const preference = service === undefined ? undefined : preferred.get(service);
    if (service === undefined || !preference) return [];
    return [{ contract, service, wanted: preference.only === undefined ? preference.not.map((version) => `!${version}`).join(',') : `=${preference.only}` }];
  });
}

/** The error of a call that asked for what is not there. */
export function nobodyLike(contract: string, { version, instance }: CallTarget, there: readonly Candidate[]): Error {
  const params = { contract, ...(version === undefined ? {} : { version }), ...(instance === undefined ? {} : { instance }) };
  if (instance !== undefined) {
    const what = version === undefined ? instance : `${instance} with version ${version}`;
    return unavailable('no_instances', `The instance ${what} does not serve ${contract}: ask for one that is there now, or for none.`, { params });
  }
  const versions = [...new Set(there.map(({ endpoint }) => endpoint.version ?? 'one without a version'))].sort().join(', ');
  return unavailable('no_instances', `No instance of ${contract} runs version ${version ?? ''}: start one, or ask for one that is there (${versions === '' ? 'none is' : versions}).`, { params });
}
