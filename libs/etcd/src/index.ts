export { connectEtcd, PULSE_KEY, type Etcd, type EtcdOptions, type EtcdState } from './connect.ts';
export type { CredentialsSource, EtcdCredentials } from './login.ts';
export { openSession, type Kept, type Session, type SessionOptions, type SessionState } from './session.ts';
export { watchPrefix, type Watch, type WatchOptions } from './watch-prefix.ts';
export type { Comparison, EtcdEntry, Operation, Transaction, TransactionResult, WatchEvent } from './types.ts';
export { parseEndpoints } from './endpoints.ts';
export { etcdDocuments, type SharedDocumentsOptions } from './shared-documents.ts';
