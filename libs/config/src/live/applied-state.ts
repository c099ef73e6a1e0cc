/** Which layer a value comes from; later ones win. */
export type SettingSource = 'default' | 'file' | 'environment' | 'global' | 'service' | 'version' | 'instance';

/** What an instance says of one setting. The values of secrets are `"[secret]"`. */
export interface AppliedSetting {
  /** In force now. Absent if nothing says it. */
  readonly value?: unknown;
  readonly source?: SettingSource;
  readonly temporary?: true;
  /** What only the instance knows: what the layers below etcd say. */
  readonly layers: Partial<Readonly<Record<'default' | 'file' | 'environment', unknown>>>;
  /** Why something that was written is not in force. */
  readonly problem?: string;
  /** Of a setting that is not live: what will be in force after a restart. */
  readonly pending?: unknown;
}

/** What an instance has applied, in etcd below `applied/<service>/<instance>`. */
export interface AppliedState {
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  /** The newest revision of the store that it has seen in any of its targets. */
  readonly revision: string;
  /** The newest revision that it has seen in each of them, by its path, such as `service/service.account`. */
  readonly targets: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, AppliedSetting>>;
}

/** Stands where the value of a secret would. */
export const SECRET = '[secret]';
