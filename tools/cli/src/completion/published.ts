import { readPlatformFile, stateDirOf } from '@talaria/service/platform-file';
import { commentOf } from '../comments.ts';
import { findContract } from '../contract-methods.ts';
import { withRegistry } from '../registry.ts';
import { timeLimitMs } from '../time-limit.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A person who pressed Tab waits no longer. */
const LIMIT = '1s';

/** Whether `nx serve` runs here. */
export function servedHere(env: Env): boolean {
  return readPlatformFile(stateDirOf(env)) !== undefined;
}

/**
 * What begins with `word` among the published contracts: as long as several do, each with a slash after it; the methods of one.
 * Rejects where no platform is found, or none that answers within TALARIA_COMPLETION_TIMEOUT (default 1s).
 */
export async function publishedMethods(word: string, env: Env, signal: AbortSignal): Promise<readonly { readonly value: string; readonly about: string }[]> {
  const limitMs = timeLimitMs(env['TALARIA_COMPLETION_TIMEOUT'] || LIMIT);
  const published = await withRegistry({ env, signal, limitMs }, async (registry) => [...(await registry.contracts()).values()]);
  const [wanted = ''] = word.split('/', 1);
  const found = published.filter(({ contract }) => (word.includes('/') ? contract === wanted : contract.startsWith(wanted)));
  const [only] = found;
  if (only === undefined || found.length > 1) return found.map(({ contract, service }) => ({ value: `${contract}/`, about: service })).sort((a, b) => (a.value < b.value ? -1 : 1));
  return findContract(only.contract, published).contract.methods.map((method) => ({ value: `${only.contract}/${method.name}`, about: commentOf(method)[0] ?? '' }));
}
