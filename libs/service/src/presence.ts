import { contractDescriptor } from '@talaria/contracts';
import { descriptorHash, type Publication, type Registration, type Registry } from '@talaria/discovery';
import { contractName, registryOf, type CompatServiceDefinition } from '@talaria/rpc';
import type { Advertised } from './addresses.ts';
import { routesOf } from './routes.ts';

/** What an instance says of itself. */
export interface Self {
  readonly service: string;
  readonly instance: string;
  readonly version: string;
  readonly zone: string | undefined;
  readonly startedAt: string;
  readonly advertised: Advertised;
}

/** One contract of an instance, as the registry knows it. */
export interface Presence {
  /** Resolves when the contract is published and the instance registered, or has left. Rejects if another service owns the contract or a route. */
  readonly ready: Promise<void>;
  /** Says whether it is ready for calls: none of its critical checkers fails. Never rejects. */
  setReady(ready: boolean): Promise<void>;
  leave(): Promise<void>;
}

/** Publishes a contract, then registers the instance under it: whoever finds the instance can know the contract. `ready`: whether it is ready now. */
export function bePresent(registry: Registry, definition: CompatServiceDefinition, self: Self, ready: boolean): Presence {
  const contract = contractName(definition);
  const descriptor = contractDescriptor(definition);
  const files = registryOf(definition);
  const { advertised, ...ext } = self;
  let registration: Registration | undefined;
  let publication: Publication | undefined;
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
  let left = false;
  let isReady = ready;

  const appear = async (): Promise<void> => {
    // A contract that was not generated here has no descriptor: it can be called, but not published.
    const descriptorSet = descriptor && Buffer.from(descriptor.set, 'base64');
    if (descriptor && descriptorSet && files) {
      publication = registry.publish({ contract, service: self.service, file: descriptor.file, descriptorSet, routes: routesOf(contract, files) });
      await publication.ready;
    }
    if (left) return;
    registration = registry.register({
      contract,
      address: advertised.address,
      ext: { ...ext, ready: isReady, addresses: [advertised.url], ...(descriptorSet ? { descriptor: descriptorHash(descriptorSet) } : {}) },
    });
    await registration.ready;
  };
  return {
    ready: Promise.race([appear(), gone]),
    async setReady(next) {
      isReady = next;
      await registration?.update({ ready: next });
    },
    async leave() {
      left = true;
      isGone();
      publication?.close();
      await registration?.close();
    },
  };
}
