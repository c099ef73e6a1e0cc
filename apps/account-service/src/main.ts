import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { accountHandlers } from './handlers/account-handlers.ts';
import { accountStorage, migrations, type Tables } from './storage/index.ts';

const db = postgres<Tables>({ migrations });
const service = createService({ name: 'service.account', description: 'Stores bank accounts', storage: db });
service.add(AccountServiceDefinition, accountHandlers(accountStorage(db)));
await service.run();
