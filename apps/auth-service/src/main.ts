import { remoteKeys } from '@talaria/auth';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { authHandlers } from './handlers/auth-handlers.ts';
import { authLogic, type AuthLogic } from './logic/auth-logic.ts';
import { settings } from './settings.ts';
import { authStorage, migrations, type Tables } from './storage/index.ts';

const db = postgres<Tables>({ migrations });
const keys = remoteKeys({ fetch: () => logic.jwks() });
const service = createService({ name: 'service.auth', description: 'Issues tokens and passports, publishes keys', storage: db, auth: { keys } });
const { verifier, contracts, log } = service;
const logic: AuthLogic = authLogic({ storage: authStorage(db), verifier, contracts, settings: service.settings(settings), log });
service.add(AuthServiceDefinition, authHandlers(logic));
await service.run();
