import type { LiveSetting } from './live-setting.ts';

/** A document that the services of a platform share. */
export interface SharedDocument {
  /** What comes after the folder. */
  readonly name: string;
  /** As it is stored; nobody has checked it. */
  readonly text: string;
  /** The store's revision when it was last written. */
  readonly revision: bigint;
  /** Whether the store has lost it: it stands as it was last known until it is written again. */
  readonly lost?: boolean;
}

/** Documents that all services of a platform share, in folders such as `flags/`; in etcd, where a service runs on one. */
export interface SharedDocuments {
  /** Whether they can be asked for now. */
  readonly reachable: LiveSetting<boolean>;
  /**
   * Calls `listener` with all documents of a folder as soon as they are known, and again after each change, outside of every call.
   * While the store is away nothing is told. What was deleted is gone; what a store that lost its data lacks is told as `lost`.
   * The answer stops that.
   */
  watch(folder: string, listener: (documents: ReadonlyMap<string, SharedDocument>) => void): () => void;
}
