export { ConfigStoreError, type ConfigStoreErrorCode } from './config-store-error.ts';
export type { JsonValue } from './json.ts';
export { parseTarget, targetText, type Target } from './target.ts';
