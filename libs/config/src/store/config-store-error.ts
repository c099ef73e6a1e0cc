/** What went wrong with stored configuration. */
export type ConfigStoreErrorCode =
  /** What was asked for is no target, no name of a setting, no change. */
  | 'malformed'
  /** Nobody has published such a service, version or instance. */
  | 'unknown_target'
  /** Nobody whom the target concerns knows the setting. */
  | 'unknown_setting'
  /** There is no such change (any more). */
  | 'unknown_change'
  /** The value is not what the setting takes, or it is too large. */
  | 'invalid_value'
  /** Somebody else has changed it since. */
  | 'conflict'
  /** A secret can be neither encrypted nor decrypted: the key is missing. */
  | 'no_key'
  /** etcd did not answer in time, and may or may not have made the change. */
  | 'outcome_unknown';

/** A request that configuration refuses. The message names the fix; it never shows a secret. */
export class ConfigStoreError extends Error {
  override readonly name = 'ConfigStoreError';
  readonly code: ConfigStoreErrorCode;

  constructor(code: ConfigStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
