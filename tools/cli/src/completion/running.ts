import { withRegistry } from '../registry.ts';
import { timeLimitMs } from '../time-limit.ts';
import { instancesIn } from '../topology/instances.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A person who pressed Tab waits no longer. */
const LIMIT = '1s';

const read = <T>(env: Env, signal: AbortSignal, use: Parameters<typeof withRegistry<T>>[1]): Promise<T> => withRegistry({ env, signal, limitMs: timeLimitMs(env['TALARIA_COMPLETION_TIMEOUT'] || LIMIT) }, use);

/** The services that run. Rejects as `publishedMethods` does. */
export function runningServices(env: Env, signal: AbortSignal): Promise<readonly { readonly value: string }[]> {
  return read(env, signal, async ({ services }) => [...new Set(instancesIn(services).map(({ service }) => service))].map((value) => ({ value })));
}

/** The published contracts, without their methods. Rejects as `publishedMethods` does. */
export function publishedContracts(env: Env, signal: AbortSignal): Promise<readonly { readonly value: string; readonly about: string }[]> {
  return read(env, signal, async ({ services }) => [...services].map(([value, instances]) => ({ value, about: instances[0]?.service ?? 'no instance' })));
}
