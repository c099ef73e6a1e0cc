import { type AccessOf } from '../auth/access.ts';
import { type AuthStore } from '../auth/auth-store.ts';
import { type Tokens } from '../auth/tokens.ts';
import { type ResponseHeader } from '../messages.ts';
import { type Lessor } from '../store/lessor.ts';
import { type Persistence } from '../store/persistence.ts';
import { type Store } from '../store/store.ts';

/** What the services of one server share. */
export interface ServerState {
  readonly store: Store;
  readonly lessor: Lessor;
  readonly persistence: Persistence;
  readonly auth: AuthStore;
  readonly tokens: Tokens;
  readonly access: AccessOf;
  /** A complete header; without a revision it has the store's. */
  header(revision?: number): ResponseHeader;
  /** The bound `host:port`. */
  address(): string;
}

/** etcd's default for `--max-request-bytes`. */
export const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;
/** What etcd allows on top for gRPC itself. */
export const GRPC_OVERHEAD_BYTES = 512 * 1024;
