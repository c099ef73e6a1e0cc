import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { featureFlags } from '@talaria/flags';
import { messaging } from '@talaria/messaging';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { transactionHandlers } from './handlers/transaction-handlers.ts';
import { transactionIcon } from './logic/transaction-icon.ts';
import { migrations, transactionStorage, type Tables } from './storage/index.ts';

const db = postgres<Tables>({ migrations });
const events = messaging({ storage: db });
const flags = featureFlags({ exposures: events });
const service = createService({ name: 'service.transaction', description: 'Records transactions', storage: db, messaging: events, capabilities: [flags] });
service.add(TransactionServiceDefinition, transactionHandlers({ storage: transactionStorage(db, events), accounts: service.client(AccountServiceDefinition), shown: transactionIcon(flags) }));
await service.run();
