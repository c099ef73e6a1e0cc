import type { Clock } from '@talaria/base';
import { methodPriority, type Priority, type ServedMethod } from '@talaria/rpc';
import { contractLimits, resolveLimits, type ServerLimits } from './limit-settings.ts';
import { methodGates, type MethodGates } from './method-gates.ts';
import { methodLoad, type MethodLoad } from './method-load.ts';

/** What an admission knows of one method. */
export interface MethodEntry {
  readonly served: ServedMethod;
  /** Always taken, never counted. */
  readonly isExempt: boolean;
  readonly isStream: boolean;
  /** Of calls that come without one. */
  readonly priority: Priority;
  readonly load: MethodLoad;
  /** Calls of it that run, streams for as long as they last. */
  running: number;
  /** What calls of it have to pass now. */
  gates(): MethodGates;
}

/** How entries are made. */
export interface MethodEntriesOptions {
  /** Live limits now; the same object until they change. */
  readonly limits: () => ServerLimits | undefined;
  readonly exempt: (contract: string) => boolean;
  readonly clock: Clock | undefined;
}

/** Makes the function that knows all methods. */
export function methodEntries({ limits, exempt, clock }: MethodEntriesOptions): (served: ServedMethod) => MethodEntry {
  const known = new Map<string, MethodEntry>();
  const make = (served: ServedMethod): MethodEntry => {
    const slash = served.path.lastIndexOf('/');
    const [contract, name] = [served.path.slice(1, slash), served.path.slice(slash + 1)];
    const options = contractLimits(served.options);
    let seen: ServerLimits | undefined;
    let gates: MethodGates | undefined;
    return {
      served,
      isExempt: exempt(contract),
      isStream: served.requestStream || served.responseStream,
      priority: methodPriority(served.options) ?? 'default',
      load: methodLoad(served.path),
      running: 0,
      gates() {
        const now = limits();
        if (gates && now === seen) return gates;
        seen = now;
        return (gates = methodGates(resolveLimits(contract, name, options, now), clock));
      },
    };
  };
  return (served) => {
    const found = known.get(served.path);
    // A contract that was removed and added again may have other options.
    if (found?.served === served) return found;
    const made = make(served);
    known.set(served.path, made);
    return made;
  };
}
