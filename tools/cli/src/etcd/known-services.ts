import type { Etcd } from '@talaria/etcd';
import { CliError } from '../cli-error.ts';
import type { Owned } from './roles.ts';

const ROUTE = /^[A-Z]+ \/\S*$/;
const CONTRACT = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/;
const SERVICE = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

interface Growing {
  readonly contracts: Set<string>;
  readonly routes: Set<string>;
}

/** Reads `service.account=account.v1.AccountService` or `service.account=POST /accounts`; a service alone owns nothing more. */
function readOwns(text: string): { readonly service: string; readonly contract?: string; readonly route?: string } {
  const at = text.indexOf('=');
  const service = at < 0 ? text : text.slice(0, at);
  const what = at < 0 ? '' : text.slice(at + 1);
  if (!SERVICE.test(service)) throw new CliError(`"${service}" is no name of a service: --owns takes service.name=package.v1.Contract, or service.name='POST /path'.`, 2);
  if (what === '') return { service };
  if (ROUTE.test(what)) return { service, route: what };
  if (CONTRACT.test(what)) return { service, contract: what };
  throw new CliError(`"${what}" is neither a contract nor a route: --owns takes service.name=package.v1.Contract, or service.name='POST /path'.`, 2);
}

function ownerIn(value: string): string | undefined {
  try {
    const { service } = JSON.parse(value) as { service?: unknown };
    return typeof service === 'string' ? service : undefined;
  } catch {
    return undefined;
  }
}

/** Every service that has published something in a namespace, with what it owns; and what `owns` adds. */
export async function knownServices(etcd: Etcd, namespace: string, owns: readonly string[]): Promise<ReadonlyMap<string, Owned>> {
  const base = `talaria/${namespace}/`;
  const services = new Map<string, Growing>();
  const of = (service: string): Growing => {
    let found = services.get(service);
    if (!found) services.set(service, (found = { contracts: new Set(), routes: new Set() }));
    return found;
  };
  const list = async (folder: string): Promise<readonly (readonly [name: string, value: string])[]> => {
    const { entries } = await etcd.list(base + folder);
    return entries.map(({ key, value }) => [key.slice(base.length + folder.length), value.toString()] as const);
  };

  const owners = new Map<string, string>();
  for (const [contract, value] of await list('contracts/')) {
    const owner = ownerIn(value);
    if (owner === undefined) continue;
    owners.set(contract, owner);
    of(owner).contracts.add(contract);
  }
  for (const [route, contract] of await list('routes/')) {
    const owner = owners.get(contract);
    if (owner !== undefined) of(owner).routes.add(route);
  }
  // Also those that serve no contract.
  for (const [schema] of await list('schemas/')) of(schema.slice(0, schema.indexOf('@')));

  for (const { service, contract, route } of owns.map(readOwns)) {
    const owned = of(service);
    if (contract !== undefined) {
      const owner = owners.get(contract);
      if (owner !== undefined && owner !== service) throw new CliError(`${contract} is owned by ${owner}: a contract has one owner.`, 2);
      owners.set(contract, service);
      owned.contracts.add(contract);
    }
    if (route !== undefined) owned.routes.add(route);
  }
  return new Map([...services].sort().map(([service, { contracts, routes }]) => [service, { contracts: [...contracts].sort(), routes: [...routes].sort() }]));
}
