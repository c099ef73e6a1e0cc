import { context as otel, propagation, type BaggageEntry } from '@opentelemetry/api';
import { type Logger } from '@talaria/base';
import { type EdgeCall } from './edge-call.ts';

/** What the names of the platform's own baggage begin with. */
const PLATFORM_PREFIX = 'talaria-';

/** Whether baggage of a name is the platform's own: strangers can never send it. */
export function isPlatformBaggage(name: string): boolean {
  return name.toLowerCase().startsWith(PLATFORM_PREFIX);
}

/** The names that strangers may send. Those of the platform are left out, with one sentence. */
export function strangersBaggage(allowed: readonly string[], log: Logger): ReadonlySet<string> {
  const own = allowed.filter(isPlatformBaggage);
  if (own.length > 0) log.warn(`clients cannot send baggage whose name begins with ${PLATFORM_PREFIX}, which is the platform's own: take it out of the allowed names (TALARIA_ALLOWED_BAGGAGE)`, { names: own });
  return new Set(allowed.filter((name) => !isPlatformBaggage(name)));
}

/** Says what baggage the gateway itself gives a call. */
export type BaggageFor = (call: EdgeCall) => Readonly<Record<string, string>>;

/** What a hook wants to go along. A hook that fails costs the call nothing but its baggage. */
export function askForBaggage(hook: BaggageFor | undefined, call: EdgeCall, log: Logger): readonly (readonly [name: string, value: string])[] {
  if (!hook) return [];
  try {
    const entries = Object.entries(hook(call));
    const foreign = entries.filter(([name]) => !isPlatformBaggage(name)).map(([name]) => name);
    if (foreign.length > 0) log.error(`baggage of the gateway needs names that begin with ${PLATFORM_PREFIX}, or strangers could send it: it is left out`, { names: foreign });
    return entries.filter(([name]) => isPlatformBaggage(name));
  } catch (err) {
    log.error('what gives calls their baggage failed: the call goes on without it', { contract: call.contract, method: call.method, err });
    return [];
  }
}

/** Runs `fn` with more baggage. It comes first, so that nothing of a stranger's can push it over the limits of what travels. */
export function withBaggage<T>(added: readonly (readonly [name: string, value: string])[], fn: () => T): T {
  if (added.length === 0) return fn();
  const active = otel.active();
  const own = added.map(([name, value]): [string, BaggageEntry] => [name, { value }]);
  const others = propagation.getBaggage(active)?.getAllEntries() ?? [];
  const names = new Set(own.map(([name]) => name));
  const entries = Object.fromEntries([...own, ...others.filter(([name]) => !names.has(name))]);
  return otel.with(propagation.setBaggage(active, propagation.createBaggage(entries)), fn);
}
