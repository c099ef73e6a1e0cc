export { authStorage } from './auth-storage.ts';
export { migrations } from './migrations.ts';
export { type Tables } from './tables.ts';
