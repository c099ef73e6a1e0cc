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

/** Two, so that it can be tried whether customers are kept apart. */
const DEV_CLIENTS = [
  { id: 'dev', secret: 'dev-secret', principalId: 'user_dev' },
  { id: 'dev2', secret: 'dev2-secret', principalId: 'user_dev2' },
];

/** Never stored: they are gone when the setting is. */
async function devClients(): Promise<ReadonlyMap<string, Omit<ClientRecord, 'scopes'>>> {
  const records = DEV_CLIENTS.map(async ({ id, secret, principalId }) => ({ id, principalId, secretHash: await hashSecret(secret) }));
  return new Map((await Promise.all(records)).map((record) => [record.id, record]));
}

/** What of the clients for development is decided elsewhere. */
export interface DevClients {
  /** Whether there are any. */
  enabled(): boolean;
  /** What they may do now. */
  scopes(): Promise<readonly string[]>;
}

/** The stored clients and, while they are enabled, those for development, whose secrets everybody knows. */
export function createClients(storage: ClientStorage, dev: DevClients): Clients {
  const nobodys = hashSecret(randomBytes(32).toString('hex'));
  let known: ReturnType<typeof devClients> | undefined;

  const find = async (id: string): Promise<ClientRecord | undefined> => {
    if (!dev.enabled()) return storage.find(id);
    known ??= devClients();
    const found = (await known).get(id);
    return found ? { ...found, scopes: await dev.scopes() } : storage.find(id);
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
