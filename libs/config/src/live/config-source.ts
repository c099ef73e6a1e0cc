import type { AppliedState } from './applied-state.ts';
import type { PublishedSchema } from './published-schema.ts';
import type { ConfigReader, TargetPath } from '../setting-names.ts';

/** A stored value, as it stands there. */
export interface RawEntry {
  /** JSON, or whatever somebody wrote. */
  readonly value: Uint8Array;
  /** The store's revision when it was written: what was written together has the same one. */
  readonly revision: bigint;
  /** The store's revision when its key was made. */
  readonly createRevision: bigint;
}

/** One value that was written or removed. */
export interface RawChange {
  /** As in the key: a temporary value has a `~` at its end. */
  readonly name: string;
  /** Undefined: it was removed. */
  readonly entry: RawEntry | undefined;
  readonly revision: bigint;
}

/** What a follower of a target is told, in order. */
export interface TargetListener {
  /** All of it as of a revision: at first, and whenever something may have been missed. */
  onSnapshot(entries: ReadonlyMap<string, RawEntry>, revision: bigint): void;
  /** What changed since. */
  onChanges(changes: readonly RawChange[]): void;
  /** The store is there, and does not show the target. What it showed before stands, until the next snapshot. */
  onRefused(reason: string): void;
}

/** What one instance shows of its configuration. */
export interface ConfigPresence {
  /** Shows what it has applied; the last one stands. */
  show(state: AppliedState): void;
  /** Takes it away. Resolves after one attempt. */
  close(): Promise<void>;
}

/** Where live values come from: etcd, or memory. It outlives nothing that it was given, and never fails: it tries on. */
export interface ConfigSource {
  /** Such as `etcd`, for people. */
  readonly name: string;
  /** Where a value stands, for people. */
  keyOf(target: TargetPath, name: string): string;
  /** Follows one target until the answer is called. */
  follow(target: TargetPath, listener: TargetListener): () => void;
  /** Publishes the settings of a version of a service, and shows what an instance of it has applied. `onPublished` is called when they are there, each time. */
  join(reader: ConfigReader, schema: PublishedSchema, onPublished: () => void): ConfigPresence;
  /**
   * By what the store is known again: an id that it got when the settings of this version of the service were first published, that
   * it keeps for as long as it has its data, and that another store lacks. Undefined: there is none. Rejects while the store cannot be reached.
   */
  mark(service: string, version: string): Promise<string | undefined>;
}
