import { closest } from '@talaria/base';
import { detached } from '@talaria/context';
import type { Registry } from '@talaria/discovery';
import { ServiceError, unavailable } from '@talaria/errors';

/** Says more of a call that failed because nobody serves its contract. */
export interface NobodyServes {
  /** The error to throw for one that a call of `contract` threw. Never rejects. */
  explain(error: unknown, contract: string): Promise<unknown>;
}

/** How long what is served stays known, in ms: many calls may fail at once. */
const KNOWN_MS = 5_000;
/** A call that fails does not wait longer for the explanation, in ms. */
const PATIENCE_MS = 300;
/** Names beyond this many help nobody. */
const MOST_NAMES = 20;

/** Asks the registry, when it is needed, who serves what. */
export function nobodyServes(registry: () => Registry): NobodyServes {
  let known: { readonly at: number; readonly services: Promise<ReadonlyMap<string, readonly unknown[]> | undefined> } | undefined;

  const services = (): Promise<ReadonlyMap<string, readonly unknown[]> | undefined> => {
    // Not within the call that happens to be the first to fail: others wait for it too.
    if (!known || performance.now() - known.at > KNOWN_MS) known = { at: performance.now(), services: detached(async () => registry().services()).catch(() => undefined) };
    const { services: answer } = known;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, undefined)));
    return Promise.race([answer, limit]).finally(() => clearTimeout(timer));
  };

  return {
    async explain(error, contract) {
      if (!(error instanceof ServiceError) || error.code !== 'unavailable.no_instances' || error.hops > 0 || error.params['contract'] !== contract) return error;
      // Whoever asked for a version or an instance was told all there is to say.
      if (error.params['version'] !== undefined || error.params['instance'] !== undefined) return error;
      const found = await services();
      if (!found) return error;
      return unavailable('no_instances', sentence(contract, found), { params: error.params, cause: error });
    },
  };
}

function sentence(contract: string, found: ReadonlyMap<string, readonly unknown[]>): string {
  if (found.has(contract)) return `No instance serves ${contract} now: start its service, or wait until it is ready.`;
  const names = [...found].filter(([, endpoints]) => endpoints.length > 0).map(([name]) => name);
  if (names.length === 0) return `No instance serves ${contract}, nor any other contract: start the service that does.`;
  const near = closest(contract, names);
  const shown = names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '');
  return `No instance serves ${contract}: start the service that does${near === undefined ? '' : `, or call ${near} if that was meant`}; served now are ${shown}.`;
}
