import { conflict, type ServiceError } from '@talaria/errors';
import type { PublishOptions } from './registry.ts';

/** What is published already. */
export interface Published {
  /** Contract → the service that owns it. */
  readonly owners: ReadonlyMap<string, string>;
  /** Route → the contract that has it. */
  readonly routes: ReadonlyMap<string, string>;
}

/** Routes that differ only in the names of their variables match the same requests. */
const shapeOf = (route: string): string => route.replace(/\{[^}=]*(=[^}]*)?\}/g, (_all, pattern: string | undefined) => `{${pattern ?? ''}}`);

const isPrefix = (a: string, b: string): boolean => a !== b && (a.startsWith(b) || b.startsWith(a));

/** Why this cannot be published beside what is; undefined if it can. `where` names where to remove what is out of date. */
export function findConflict(wanted: PublishOptions, { owners, routes }: Published, where: { contract(contract: string): string; route(route: string): string }): ServiceError | undefined {
  const { contract, service } = wanted;
  const owner = owners.get(contract);
  if (owner !== undefined && owner !== service) {
    return conflict(
      'contract',
      `${contract} belongs to ${owner}, so ${service} cannot serve it too. Serve it from one of them; if ${owner} does not serve it any more, remove ${where.contract(contract)}.`,
      { params: { contract, owner, service } },
    );
  }
  for (const [other, otherOwner] of owners) {
    if (!isPrefix(contract, other)) continue;
    return conflict(
      'contract_name',
      `${contract} (of ${service}) and ${other} (of ${otherOwner}) cannot stand side by side: one name starts with the other, and Go's etcd resolver lists by prefix. Rename one of them; if ${otherOwner} does not serve ${other} any more, remove ${where.contract(other)}.`,
      { params: { contract, other, owner: otherOwner, service } },
    );
  }
  const taken = new Map([...routes].map(([route, by]) => [shapeOf(route), { route, by }]));
  for (const route of wanted.routes) {
    const found = taken.get(shapeOf(route));
    if (!found || found.by === contract) continue;
    const otherOwner = owners.get(found.by) ?? 'a service that is gone';
    return conflict(
      'route',
      `${route} of ${contract} (${service}) is taken by ${found.by} (${otherOwner}). Change the google.api.http annotation of one of them; if ${found.by} does not have it any more, remove ${where.route(found.route)}.`,
      { params: { route, contract, owner: found.by, service } },
    );
  }
  return undefined;
}
