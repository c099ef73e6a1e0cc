import { type Verifier } from '@talaria/auth';
import { systemClock, type Clock, type Logger, type PublishedContracts } from '@talaria/service';
import { type ClientStorage } from '../storage/client-storage.ts';
import { type KeyStorage } from '../storage/key-storage.ts';
import { createClients } from './clients.ts';
import { devScopes } from './dev-scopes.ts';
import { serviceKeysFile } from './service-keys-file.ts';
import { createTokenKeys } from './token-keys.ts';
import { createTokens, type Tokens } from './tokens.ts';

/** What this service does. */
export interface AuthLogic extends Tokens {
  /** All keys that verify tokens, passports and service tokens: a JWK Set as JSON. */
  jwks(): Promise<string>;
}

/** What it does that with. */
export interface AuthLogicOptions {
  readonly storage: KeyStorage & ClientStorage;
  readonly verifier: Pick<Verifier, 'accessToken'>;
  /** What is published: the clients for development may do all that it asks for. */
  readonly contracts: PublishedContracts;
  readonly settings: { readonly TALARIA_SERVICE_KEYS_FILE?: string | undefined; readonly TALARIA_DEV_CLIENTS: boolean };
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Puts the logic together. */
export function authLogic({ storage, verifier, contracts, settings, log, clock = systemClock }: AuthLogicOptions): AuthLogic {
  const keys = createTokenKeys(storage, clock);
  // Settings are read when they are needed: a wrong one is then reported by the start of the service, with all others.
  const services = serviceKeysFile({ file: () => settings.TALARIA_SERVICE_KEYS_FILE, log });
  const clients = createClients(storage, { enabled: () => settings.TALARIA_DEV_CLIENTS, scopes: () => devScopes(contracts, log) });
  return {
    ...createTokens({ clients, keys, verifier, clock }),
    async jwks() {
      const [own, others] = await Promise.all([keys.published(), services.read()]);
      return JSON.stringify({ keys: [...own, ...others] });
    },
  };
}
