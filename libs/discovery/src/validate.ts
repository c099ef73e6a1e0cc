import type { PublishOptions, RegisterOptions } from './registry.ts';

function checkContract(contract: string): void {
  if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(contract)) {
    throw new Error(`"${contract}" is no contract: expected a fully qualified proto service, such as account.v1.AccountService.`);
  }
}

/** Throws for what cannot be registered. */
export function checkRegistration({ contract, address }: RegisterOptions): void {
  checkContract(contract);
  // Also `name:1` for addresses in this process. A slash would break the key, and with it Go's resolver.
  if (!/^(\[[0-9a-fA-F:.%\w]+\]|[^\s/:[\]]+):\d{1,5}$/.test(address)) {
    throw new Error(`"${address}" is no address to advertise: expected host:port, such as 10.0.0.7:4000 or [::1]:4000.`);
  }
}

/** Throws for what cannot be published. */
export function checkPublication({ contract, service, routes }: PublishOptions): void {
  checkContract(contract);
  if (service === '') throw new Error(`The contract ${contract} needs the name of the service that owns it.`);
  for (const route of routes) {
    // Any method that HTTP knows or a contract makes up; `*` for all.
    if (!/^(\*|[A-Z][A-Z0-9_-]*) \/\S*$/.test(route)) throw new Error(`"${route}" is no route of ${contract}: expected a method and a path, such as "GET /accounts/{id}".`);
  }
}
