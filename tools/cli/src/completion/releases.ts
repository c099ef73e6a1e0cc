import { withRegistry } from '../registry.ts';
import { timeLimitMs } from '../time-limit.ts';

/** The services that run, and, after one, its versions. Rejects where no platform answers within TALARIA_COMPLETION_TIMEOUT (default 1s). */
export async function releases(given: readonly string[], env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<readonly { readonly value: string; readonly about: string }[]> {
  const limitMs = timeLimitMs(env['TALARIA_COMPLETION_TIMEOUT'] || '1s');
  const endpoints = await withRegistry({ env, signal, limitMs }, async ({ services }) => [...services.values()].flat());
  const [service] = given;
  const values = given.length > 1 ? [] : endpoints.flatMap((one) => (service === undefined ? (one.service ?? []) : one.service === service ? (one.version ?? []) : []));
  return [...new Set(values)].sort().map((value) => ({ value, about: service === undefined ? 'a service' : 'runs now' }));
}
