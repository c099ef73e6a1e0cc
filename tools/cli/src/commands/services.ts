import { withRegistry } from '../registry.ts';
import { printable, table, type Terminal } from '../terminal.ts';

/** `talaria services`: who serves what. */
export async function services(options: { readonly json?: boolean }, terminal: Terminal, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<void> {
  await withRegistry({ env, signal }, async (registry) => {
    const [found, published] = [registry.services, await registry.contracts()];
    const all = [...new Set([...published.keys(), ...found.keys()])].sort().map((contract) => ({
      contract,
      service: published.get(contract)?.service ?? found.get(contract)?.[0]?.service ?? '',
      instances: (found.get(contract) ?? []).map(({ id, instance, version, startedAt, ready = true }) => ({ address: id, instance, version, since: startedAt, ready })),
    }));
    terminal.out(options.json ? `${JSON.stringify(all, null, 2)}\n` : tableOf(all, terminal));
  });
}

interface Instance {
  readonly address: string;
  readonly instance: string | undefined;
  readonly version: string | undefined;
  readonly since: string | undefined;
  readonly ready: boolean;
}

function tableOf(all: readonly { readonly contract: string; readonly service: string; readonly instances: readonly Instance[] }[], { style }: Terminal): string {
  if (all.length === 0) return 'No contract is published yet: the services may still be starting.\n';
  const rows = all.flatMap(({ contract, service, instances }) =>
    instances.length === 0
      ? [[contract, service, 'no instance', '', '']]
      : instances.map(({ address, version, since, instance, ready }) => [contract, service, address, version ?? '', `${since ?? ''}${instance === undefined ? '' : `  ${instance}`}${ready ? '' : '  NOT READY: a critical checker fails ("talaria health" says which)'}`]),
  );
  return table([['CONTRACT', 'SERVICE', 'ADDRESS', 'VERSION', 'SINCE'], ...rows.map((row) => row.map(printable))], style);
}
