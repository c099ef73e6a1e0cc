import { scopesOf } from '@talaria/auth';
import { detached, type Logger, type PublishedContracts } from '@talaria/service';

/**
 * What the clients for development may do: everything that any published contract asks for, in alphabetical order. So a new
 * service can be called without a word about it here. Waits until it is known for the first time what is published.
 */
export async function devScopes(contracts: PublishedContracts, log: Logger): Promise<readonly string[]> {
  // The watch that begins here outlives the call that asks first.
  await detached(() => contracts.ready);
  const scopes = contracts.get().flatMap((published) => {
    try {
      return scopesOf(published);
    } catch (error) {
      log.warn('the rules of a contract cannot be read: the clients for development do not get its scopes', { contract: published.contract, err: error });
      return [];
    }
  });
  return [...new Set(scopes)].sort();
}
