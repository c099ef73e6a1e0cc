import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remoteKeys, type JWK } from '@talaria/auth';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { WebhookApiServiceDefinition } from '@talaria/contracts/webhook/api/v1/webhook_api';
import { type Client } from '@talaria/service';
import { postgres, type Postgres } from '@talaria/storage';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import { authHandlers } from '../handlers/auth-handlers.ts';
import { authLogic, type AuthLogic } from '../logic/auth-logic.ts';
import { settings } from '../settings.ts';
import { authStorage, migrations, type Tables } from '../storage/index.ts';

/** The service on a database, wired as its main file does, with the gateway as its caller. */
export interface AuthPlatform extends AsyncDisposable {
  readonly platform: TestPlatform;
  readonly db: Postgres<Tables>;
  readonly logic: AuthLogic;
  readonly keys: ReturnType<typeof remoteKeys>;
  /** Calls as the gateway, on nobody's behalf. */
  readonly auth: Client<AuthServiceDefinition>;
  /** The file of TALARIA_SERVICE_KEYS_FILE. */
  readonly serviceKeysFile: string;
}

/** Starts it. */
export async function startAuth(databaseUrl: string, options: { readonly dev?: boolean } = {}): Promise<AuthPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-service-'));
  const serviceKeysFile = join(folder, 'services.json');
  const platform = await createPlatform();
  for (const { fullName, descriptor } of [AccountServiceDefinition, TransactionServiceDefinition, WebhookApiServiceDefinition]) {
    platform.registry.publish({ contract: fullName, service: 'service.other', file: descriptor.file, descriptorSet: Buffer.from(descriptor.set, 'base64'), routes: [] });
  }
  const callers: JWK[] = [];
  for (const name of ['api.gateway', 'service.test']) callers.push((await platform.keys.of(name)).publicJwk);
  await writeFile(serviceKeysFile, JSON.stringify({ keys: callers }));

  const db = postgres<Tables>({ migrations });
  const keys = remoteKeys({ fetch: () => logic.jwks(), minIntervalMs: 1 });
  const env = { DATABASE_URL: databaseUrl, TALARIA_SERVICE_KEYS_FILE: serviceKeysFile, TALARIA_DEV_CLIENTS: String(options.dev ?? true) };
  const service = platform.service({ name: 'service.auth', storage: db, auth: { keys }, platform: { env } });
  const logic: AuthLogic = authLogic({ storage: authStorage(db), verifier: service.verifier, contracts: service.contracts, settings: service.settings(settings), log: service.log });
  service.add(AuthServiceDefinition, authHandlers(logic));
  await service.start();
  return {
    platform,
    db,
    logic,
    keys,
    serviceKeysFile,
    auth: platform.client(AuthServiceDefinition, { caller: 'api.gateway', edge: true }) as Client<AuthServiceDefinition>,
    async [Symbol.asyncDispose]() {
      await platform.stop();
      await rm(folder, { recursive: true });
    },
  };
}
