export { migrations } from './migrations.ts';
export { type Tables } from './tables.ts';
export { transactionStorage } from './transaction-storage.ts';
