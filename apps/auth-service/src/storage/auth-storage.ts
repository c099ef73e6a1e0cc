import { type Postgres } from '@talaria/storage';
import { clientStorage, type ClientStorage } from './client-storage.ts';
import { keyStorage, type KeyStorage } from './key-storage.ts';
import { type Tables } from './tables.ts';

/** Everything that this service keeps. */
export function authStorage(postgres: Postgres<Tables>): KeyStorage & ClientStorage {
  return { ...keyStorage(postgres), ...clientStorage(postgres) };
}
