/** The keys below `talaria/<namespace>/` (docs/design.md, "Naming in etcd"). */
export interface Keys {
  readonly services: string;
  /** With a `/` at its end, so that no other contract's instances are below it. */
  instances(contract: string): string;
  instance(contract: string, address: string): string;
  readonly contracts: string;
  contract(contract: string): string;
  descriptor(hash: string): string;
  readonly routes: string;
  route(route: string): string;
  /** Of all elections of a service. */
  elections(service: string): string;
  /** Of all schedules of a service. */
  schedules(service: string): string;
  /** Of what monitors have found. */
  readonly reports: string;
}

/** The keys of a namespace. Throws for a name that would reach into another one. */
export function keysOf(namespace: string): Keys {
  if (!/^[A-Za-z0-9_.-]+$/.test(namespace)) throw new Error(`"${namespace}" is no namespace: use letters, digits, "-", "_" and "." (TALARIA_NAMESPACE).`);
  const base = `talaria/${namespace}`;
  return {
    services: `${base}/services/`,
    instances: (contract) => `${base}/services/${contract}/`,
    instance: (contract, address) => `${base}/services/${contract}/${address}`,
    contracts: `${base}/contracts/`,
    contract: (contract) => `${base}/contracts/${contract}`,
    descriptor: (hash) => `${base}/descriptors/${hash}`,
    routes: `${base}/routes/`,
    route: (route) => `${base}/routes/${route}`,
    elections: (service) => `${base}/elections/${service}/`,
    schedules: (service) => `${base}/schedules/${service}/`,
    reports: `${base}/health/`,
  };
}
