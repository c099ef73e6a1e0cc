import type { InstanceReport } from '@talaria/discovery';
import { CliError } from '../cli-error.ts';
import { healthOf, isUnwell, type HealthSnapshot } from '../health/snapshot.ts';
import { healthText } from '../health/text.ts';
import { didYouMean } from '../nearest.ts';
import { withPlatform } from '../platform.ts';
import { withRegistry, type Services } from '../registry.ts';
import type { Terminal } from '../terminal.ts';
import { askAll } from '../topology/ask.ts';
import { instancesIn } from '../topology/instances.ts';
import { showing } from '../topology/watching.ts';

/** What the user may say. */
export interface HealthOptions {
  /** Keep it up to date. */
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** `talaria health [service]`: what monitors, instances and callers say. Throws if something critical fails, once it has said so. */
export async function health(service: string | undefined, options: HealthOptions, terminal: Terminal, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<void> {
  const found = await withRegistry({ env, signal }, async (registry) => {
    const reports = await registry.reports(service);
    refuseUnknown(service, registry.services, reports);
    return withPlatform({ env, signal }, async (platform) => {
      const direct = platform.direct();
      let first: { readonly services: Services; readonly reports: readonly InstanceReport[] } | undefined = { services: registry.services, reports };
      const look = async (): Promise<HealthSnapshot> => {
        const now = first ?? { services: await registry.refresh(), reports: await registry.reports(service) };
        first = undefined;
        // Without a key nobody answers; the rest can be shown all the same.
        const asked = platform.service.tokens ? await askAll(direct, instancesIn(now.services), '', signal) : { answers: [] };
        return healthOf(now.services, now.reports, asked, service);
      };
      try {
        return await showing(look, { json: options.json === true, text: (snapshot) => healthText(snapshot, service !== undefined, terminal.style) }, options.watch === true, terminal, signal);
      } finally {
        await direct.close();
      }
    });
  });
  const unwell = found.instances.filter(isUnwell);
  if (unwell.length > 0) throw new CliError(`${unwell.length} of ${found.instances.length} instances ${unwell.length === 1 ? 'is' : 'are'} not well.`);
}

function refuseUnknown(service: string | undefined, services: Services, reports: readonly InstanceReport[]): void {
  if (service === undefined || reports.length > 0) return;
  const names = [...new Set(instancesIn(services).map((instance) => instance.service))];
  if (!names.includes(service)) throw new CliError(`No instance of ${service} runs.${didYouMean(service, names)} "talaria services" lists them.`);
}
