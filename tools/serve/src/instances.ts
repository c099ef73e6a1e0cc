import { ServeError } from './serve-error.ts';
import { GATEWAY, type App } from './workspace.ts';

/** How often an app is to run. */
export interface InstancesOption {
  /** Undefined: the app that is served. */
  readonly app: string | undefined;
  readonly count: number;
}

/** More than anybody needs to see how something balances; each takes some 80 MB. */
const MAX = 20;

/** Reads the value of `--instances`: `3`, or `account-service=3,transaction-service=2`. Throws a `ServeError` for anything else. */
export function readInstances(value: string): readonly InstancesOption[] {
  return value.split(',').map((part) => {
    const [, app, digits = ''] = /^(?:([^=\s]+)=)?(\d{1,9})$/.exec(part.trim()) ?? [];
    const count = Number(digits);
    if (digits === '' || count < 1 || count > MAX) {
      throw new ServeError(`--instances=${value} says no number of instances from 1 to ${MAX}: use --instances=3, or --instances=account-service=3,transaction-service=2.`);
    }
    return { app, count };
  });
}

/** How often each of `apps` runs, by name, where `served` is the one that the user named. Throws a `ServeError` for an app that is not served, and for several gateways. */
export function instanceCounts(options: readonly InstancesOption[], served: string, apps: readonly App[]): ReadonlyMap<string, number> {
  const counts = new Map(apps.map(({ name }) => [name, 1]));
  for (const { app = served, count } of options) {
    if (!counts.has(app)) throw new ServeError(`--instances names "${app}", which is not served: give it one of ${[...counts.keys()].filter((name) => name !== GATEWAY).join(', ')}.`);
    if (app === GATEWAY && count > 1) {
      throw new ServeError(`${GATEWAY} runs once, since one process alone can have PORT: leave it out of --instances, and give those behind it several, such as --instances=account-service=3.`);
    }
    counts.set(app, count);
  }
  return counts;
}

/** What the instances of an app are called in the output: `account-service#2`, where there are several. */
export function instanceNames(app: string, count: number): readonly string[] {
  return count === 1 ? [app] : Array.from({ length: count }, (_, index) => `${app}#${index + 1}`);
}
