import { randomBytes } from 'node:crypto';
import { type ClientRecord, type ClientStorage } from '../storage/client-storage.ts';
import { hashSecret, isSecretOf } from './secret-hash.ts';

/** Who may ask for tokens. */
export interface Clients {
  /** Undefined for one that does not exist (any more). */
  find(id: string): Promise<ClientRecord | undefined>;
  /** The client, if this is its secret; an unknown client takes as long as a wrong secret. */
  authenticate(id: string, secret: string): Promise<ClientRecord | undefined>;
}

const DEV_SCOPES = ['accounts:read', 'accounts:write', 'transactions:read', 'transactions:write', 'webhooks:read', 'webhooks:write'];

/** Two, so that it can be tried whether customers are kept apart. */
const DEV_CLIENTS = [
  { id: 'dev', secret: 'dev-secret', principalId: 'user_dev' },
  { id: 'dev2', secret: 'dev2-secret', principalId: 'user_dev2' },
];

/** Never stored: they are gone when the setting is. */
async function devClients(): Promise<ReadonlyMap<string, ClientRecord>> {
  const records = DEV_CLIENTS.map(async ({ id, secret, principalId }) => ({ id, principalId, scopes: DEV_SCOPES, secretHash: await hashSecret(secret) }));
  return new Map((await Promise.all(records)).map((record) => [record.id, record]));
}

/** The stored clients and, while `dev`, those for development, whose secrets everybody knows. */
export function createClients(storage: ClientStorage, options: { readonly dev: () => boolean }): Clients {
  const nobodys = hashSecret(randomBytes(32).toString('hex'));
  let known: ReturnType<typeof devClients> | undefined;

  const find = async (id: string): Promise<ClientRecord | undefined> => {
    if (!options.dev()) return storage.find(id);
    known ??= devClients();
    return (await known).get(id) ?? storage.find(id);
  };
  return {
    find,
    async authenticate(id, secret) {
      const client = await find(id);
      const matches = await isSecretOf(client?.secretHash ?? (await nobodys), secret);
      return client && matches ? client : undefined;
    },
  };
}
