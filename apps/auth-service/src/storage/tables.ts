import { type JWK } from '@talaria/auth';
import { type Generated } from '@talaria/storage';

/** A key that signs access tokens and passports. */
export interface SigningKeysTable {
  kid: string;
  private_jwk: JWK & { readonly kid: string };
  public_jwk: JWK & { readonly kid: string };
  created: Generated<Date>;
  /** Since when it no longer signs; null for the one that does. What it has signed stays valid. */
  retired: Date | null;
}

/** Somebody who may ask for tokens. */
export interface ClientsTable {
  id: string;
  /** As `hashSecret` makes it. */
  secret_hash: string;
  /** On whose behalf its tokens are. */
  principal_id: string;
  scopes: string[];
  created: Generated<Date>;
}

/** What this service keeps. */
export interface Tables {
  signing_keys: SigningKeysTable;
  clients: ClientsTable;
}
