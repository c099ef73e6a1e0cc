import { TEMPORARY_SUFFIX } from '../setting-names.ts';
import type { RawChange, RawEntry } from './config-source.ts';

/** What the store says of one key now: an entry, or that it was removed after one revision and by another. */
interface Slot {
  readonly entry: RawEntry | undefined;
  /** Exclusive. Of what was removed under our eyes it is one less than `upTo`; otherwise nobody knows which revision it was. */
  readonly after: bigint;
  readonly upTo: bigint;
}

/** Revisions that are not applied: from `after` (exclusive) to `upTo`. */
export type HeldBack = Pick<Slot, 'after' | 'upTo'>;

/** What is in force of a target, were it settled now. */
export interface Settled {
  readonly entries: ReadonlyMap<string, RawEntry>;
  /** Which of its revisions are not applied. */
  readonly held: readonly HeldBack[];
  /** Names that go, and by what. */
  readonly removed: ReadonlyMap<string, HeldBack>;
}

/** One target: what stands in the store, and what of it is in force. A revision is in force whole, or not at all. */
export interface TargetState {
  /** The newest revision that was seen; `0n`: none. */
  readonly revision: bigint;
  /** The newest revision up to which all was accepted: what is held back, with what it removed, comes after it. */
  readonly acceptedUpTo: bigint;
  /** In force, by the name in the key. */
  readonly good: ReadonlyMap<string, RawEntry>;
  /** In the store, by the name in the key. */
  readonly stored: ReadonlyMap<string, RawEntry>;
  /** What the store has lost: it stays in force until it is written or removed. */
  readonly lost: ReadonlySet<string>;
  /** Starts with what was last known. */
  load(entries: ReadonlyMap<string, RawEntry>, revision: bigint, lost: Iterable<string>): void;
  change(changes: readonly RawChange[]): void;
  /** Whose absence from a listing may mean that the store has lost its data. */
  missing(entries: ReadonlyMap<string, RawEntry>): readonly string[];
  /** `lost`: the names whose absence means that. */
  replace(entries: ReadonlyMap<string, RawEntry>, revision: bigint, lost: ReadonlySet<string>): void;
  /** What would be in force if the revisions with a bad entry, and those that are `held`, were left out. */
  settle(isBad: (name: string, entry: RawEntry) => boolean, held?: readonly HeldBack[]): Settled;
  /** What was written or removed by these revisions, and not again since, by the name in the key. */
  within(held: HeldBack): readonly string[];
  /** Puts it in force. */
  accept(settled: Settled): void;
}

const overlaps = (a: HeldBack, b: HeldBack): boolean => (a.after > b.after ? a.after : b.after) < (a.upTo < b.upTo ? a.upTo : b.upTo);
const isTemporary = (name: string): boolean => name.endsWith(TEMPORARY_SUFFIX);
const put = (entry: RawEntry): Slot => ({ entry, after: entry.revision - 1n, upTo: entry.revision });

/** A target of which nothing is known. */
export function createTargetState(): TargetState {
  let slots = new Map<string, Slot>();
  let good: ReadonlyMap<string, RawEntry> = new Map();
  const lost = new Set<string>();
  let revision = 0n;
  let acceptedUpTo = 0n;

  return {
    get revision() {
      return revision;
    },
    get acceptedUpTo() {
      return acceptedUpTo;
    },
    get good() {
      return good;
    },
    get stored() {
      return new Map([...slots].flatMap(([name, { entry }]) => (entry ? [[name, entry] as const] : [])));
    },
    lost,
    load(entries, at, names) {
      slots = new Map([...entries].map(([name, entry]) => [name, put(entry)]));
      revision = at;
      for (const name of names) if (entries.has(name)) lost.add(name);
    },
    change(changes) {
      for (const { name, entry, revision: at } of changes) {
        lost.delete(name);
        slots.set(name, entry ? put(entry) : { entry: undefined, after: at - 1n, upTo: at });
        if (at > revision) revision = at;
      }
    },
    // A temporary value ends by itself, and nobody can tell when it did.
    missing: (entries) => [...slots].flatMap(([name, { entry }]) => (entry && !entries.has(name) && !lost.has(name) && !isTemporary(name) ? [name] : [])),
    replace(entries, at, gone) {
      for (const name of gone) lost.add(name);
      for (const [name, slot] of slots) {
        if (entries.has(name)) lost.delete(name);
        else if (slot.entry && !lost.has(name)) slots.set(name, { entry: undefined, after: revision < at ? revision : at - 1n, upTo: at });
      }
      for (const [name, entry] of entries) {
        const known = slots.get(name);
        if (known?.entry?.revision !== entry.revision || !Buffer.from(known.entry.value).equals(entry.value)) slots.set(name, put(entry));
      }
      revision = at;
    },
    settle(isBad, also = []) {
      const held = [...also];
      for (const [name, slot] of slots) if (slot.entry && !lost.has(name) && isBad(name, slot.entry)) held.push(slot);
      const entries = new Map<string, RawEntry>();
      const removed = new Map<string, HeldBack>();
      for (const [name, slot] of slots) {
        const kept = good.get(name);
        const { entry: stored } = slot;
        let entry = held.some((each) => overlaps(each, slot)) ? kept : stored;
        if (lost.has(name)) entry = kept ?? (stored && !isBad(name, stored) ? stored : undefined);
        if (entry) entries.set(name, entry);
        else if (!stored && kept) removed.set(name, slot);
      }
      return { entries, held, removed };
    },
    within: (held) => [...slots].flatMap(([name, slot]) => (overlaps(held, slot) ? [name] : [])),
    accept({ entries, held }) {
      good = entries;
      acceptedUpTo = held.reduce((least, { after }) => (after < least ? after : least), revision);
      for (const [name, slot] of slots) if (!slot.entry && !held.some((each) => overlaps(each, slot))) slots.delete(name);
    },
  };
}
