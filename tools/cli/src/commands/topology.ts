import { CliError } from '../cli-error.ts';
import { nearest } from '../nearest.ts';
import { withPlatform } from '../platform.ts';
import { withRegistry, type Services } from '../registry.ts';
import type { Terminal } from '../terminal.ts';
import { askAll } from '../topology/ask.ts';
import { instancesIn } from '../topology/instances.ts';
import { snapshotOf, type CallerName, type Snapshot } from '../topology/snapshot.ts';
import { snapshotText } from '../topology/text.ts';
import { showing } from '../topology/watching.ts';

/** What the user may say. */
export interface TopologyOptions {
  /** Keep it up to date. */
  readonly watch?: boolean;
  readonly json?: boolean;
  /** Only the calls of this service, or of the instance with this id, or the end of it. */
  readonly from?: string;
}

/** `talaria topology <contract>`: the instances of a contract, as those see them that call it. */
export async function topology(contract: string, options: TopologyOptions, terminal: Terminal, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<void> {
  await withRegistry({ env, signal }, async (registry) => {
    refuseUnknown(contract, registry.services);
    const isMeant = callersMeant(options.from, registry.services);
    await withPlatform({ env, signal }, async (platform) => {
      const direct = platform.direct();
      let services: Services | undefined = registry.services;
      const look = async (before: Snapshot | undefined): Promise<Snapshot> => {
        const now = services ?? (await registry.refresh());
        services = undefined;
        return snapshotOf(contract, now, await askAll(direct, instancesIn(now), contract, signal), isMeant, before);
      };
      try {
        await showing(look, { json: options.json === true, text: (snapshot) => snapshotText(snapshot, terminal.style) }, options.watch === true, terminal, signal);
      } finally {
        await direct.close();
      }
    });
  });
}

function refuseUnknown(contract: string, services: Services): void {
  if (services.has(contract)) return;
  const near = nearest(contract, [...services.keys()]);
  throw new CliError(`No contract ${contract} is published${near === undefined ? '' : `: did you mean ${near}?`} "talaria services" lists them.`);
}

function callersMeant(from: string | undefined, services: Services): (caller: CallerName) => boolean {
  if (from === undefined) return () => true;
  const isMeant = ({ service, instance }: CallerName): boolean => service === from || instance === from || (from.length >= 6 && instance.endsWith(from.replace(/^…/, '')));
  const all = instancesIn(services);
  if (!all.some(isMeant)) {
    const names = [...new Set(all.map(({ service }) => service))].sort();
    throw new CliError(`No service and no instance ${from} runs here: --from takes one of ${names.join(', ')}, or the id of an instance.`);
  }
  return isMeant;
}
