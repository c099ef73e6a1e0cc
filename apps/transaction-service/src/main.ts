import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { messaging } from '@talaria/messaging';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { transactionHandlers } from './handlers/transaction-handlers.ts';
import { migrations } from './storage/migrations.ts';
import { type Tables } from './storage/tables.ts';
import { transactionStorage } from './storage/transaction-storage.ts';

const db = postgres<Tables>({ migrations });
const events = messaging({ storage: db });
const service = createService({ name: 'service.transaction', description: 'Records transactions', storage: db, messaging: events });
service.add(TransactionServiceDefinition, transactionHandlers({ storage: transactionStorage(db, events), accounts: service.client(AccountServiceDefinition) }));
await service.run();
