export { accountStorage, type AccountStorage } from './account-storage.ts';
export { migrations } from './migrations.ts';
export { type AccountsTable, type Tables } from './tables.ts';
