import { type JWK, type KeyPairJwks } from '@talaria/auth';
import { type Postgres } from '@talaria/storage';
import { type Tables } from './tables.ts';

/** The keys that sign tokens. */
export interface KeyStorage {
  /** The one that signs now; undefined before the first. */
  active(): Promise<(JWK & { readonly kid: string }) | undefined>;
  /** Adds a key that signs from now on, unless another one does already. */
  addFirst(key: KeyPairJwks): Promise<void>;
  /** The public ones that verify: the active one, and those retired since `retiredSince`. */
  published(retiredSince: Date): Promise<JWK[]>;
}

/** Keeps keys in PostgreSQL. */
export function keyStorage(postgres: Postgres<Tables>): KeyStorage {
  return {
    async active() {
      const row = await postgres.db.selectFrom('signing_keys').select('private_jwk').where('retired', 'is', null).executeTakeFirst();
      return row?.private_jwk;
    },
    async addFirst({ privateJwk, publicJwk }) {
      await postgres.db
        .insertInto('signing_keys')
        .values({ kid: publicJwk.kid, private_jwk: privateJwk, public_jwk: publicJwk, retired: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async published(retiredSince) {
      const rows = await postgres.db
        .selectFrom('signing_keys')
        .select('public_jwk')
        .where((where) => where.or([where('retired', 'is', null), where('retired', '>', retiredSince)]))
        .orderBy('created')
        .execute();
      return rows.map((row) => row.public_jwk);
    },
  };
}
