import { newId } from '@talaria/base';
import type { Etcd, EtcdEntry, Operation } from '@talaria/etcd';
import { DocumentError, FlagStoreError } from './document-error.ts';
import { readExperiment, type Experiment } from './experiment.ts';
import { newExperiment, type ExperimentInput } from './experiment-input.ts';
import { readFlagDocument, type FlagDocument } from './flag-document.ts';
import { snapshotOf } from './snapshot.ts';
import { EXPERIMENTS_FOLDER, FLAGS_FOLDER } from './source.ts';

/** A document as it is stored. */
export interface StoredDocument {
  readonly name: string;
  readonly text: string;
  /** For `ifRevision`. */
  readonly revision: bigint;
}

/** All that is stored, as of one moment. */
export interface StoredFlags {
  readonly flags: readonly StoredDocument[];
  readonly experiments: readonly StoredDocument[];
}

/** That somebody changed something. */
export interface FlagChange {
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly who: string;
  readonly why?: string | undefined;
  /** Such as `flags/checkout`. */
  readonly document: string;
  /** Such as `apply` or `kill new-checkout`. */
  readonly what: string;
}

/** How something is changed. */
export interface ChangeOptions {
  /** Told to who reads the history. */
  readonly why?: string | undefined;
  /** The document must stand at this revision; `0n`: there must be none. Default: whatever stands there. */
  readonly ifRevision?: bigint | undefined;
}

/** Flags and experiments in etcd, for those who change them. Whatever is refused is refused with a `FlagStoreError` of one sentence. */
export interface FlagStore {
  read(): Promise<StoredFlags>;
  /** Puts a document of flags, as flagd has it. */
  applyFlags(document: string, text: string, options?: ChangeOptions): Promise<FlagChange>;
  /** Removes a document of flags. */
  removeFlags(document: string, options?: ChangeOptions): Promise<FlagChange>;
  /** Turns a flag off everywhere (`DISABLED`: callers get their defaults, at once, whatever experiments say), or on again. */
  setFlagState(flag: string, state: 'ENABLED' | 'DISABLED', options?: ChangeOptions): Promise<FlagChange>;
  /** Puts an experiment, by shares or by ranges. */
  applyExperiment(name: string, input: ExperimentInput, options?: ChangeOptions): Promise<FlagChange>;
  /** Changes some things about an experiment that is there. */
  changeExperiment(name: string, changes: Partial<ExperimentInput>, what: string, options?: ChangeOptions): Promise<FlagChange>;
  /** Removes an experiment; its buckets are free again. */
  removeExperiment(name: string, options?: ChangeOptions): Promise<FlagChange>;
  /** The last changes, newest first. */
  history(): Promise<readonly FlagChange[]>;
}

/** Where they are and who changes them. */
export interface FlagStoreOptions {
  readonly etcd: Etcd;
  /** Default `default`. */
  readonly namespace?: string | undefined;
  readonly who: string;
}

const DOCUMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const HISTORY_FOLDER = 'flags-history/';
const KEPT_CHANGES = 500;
/** How often a change that needs nothing of what it read is tried again when somebody else was faster. */
const ATTEMPTS = 5;

interface Read {
  readonly revision: bigint;
  readonly flags: ReadonlyMap<string, EtcdEntry>;
  readonly experiments: ReadonlyMap<string, EtcdEntry>;
}

/** Makes it. */
export function flagStore({ etcd, namespace = 'default', who }: FlagStoreOptions): FlagStore {
  const base = `talaria/${namespace}/`;

  /** Both folders; a change is refused if one of them changed since. */
  async function readAll(): Promise<Read> {
    const flags = await etcd.list(base + FLAGS_FOLDER);
    const experiments = await etcd.list(base + EXPERIMENTS_FOLDER);
    const named = (folder: string, entries: readonly EtcdEntry[]): Map<string, EtcdEntry> => new Map(entries.map((entry) => [entry.key.slice((base + folder).length), entry]));
    return { revision: flags.revision, flags: named(FLAGS_FOLDER, flags.entries), experiments: named(EXPERIMENTS_FOLDER, experiments.entries) };
  }

  /** Writes (undefined: removes) a document if what was read still stands, and notes who did it. */
  async function write(document: string, value: string | undefined, read: Read, what: string, { why, ifRevision }: ChangeOptions): Promise<FlagChange> {
    const [folder, name] = [document.slice(0, document.indexOf('/') + 1), document.slice(document.indexOf('/') + 1)];
    const stands = (folder === FLAGS_FOLDER ? read.flags : read.experiments).get(name);
    const revision = stands?.modRevision ?? 0n;
    if (ifRevision !== undefined && ifRevision !== revision) throw new FlagStoreError(`${document} is not at revision ${ifRevision}${await lastChange(document, revision)}: look at it again, and apply your change to what is there now.`);
    const change: FlagChange = { id: newId('chg'), at: new Date().toISOString(), who, ...(why === undefined ? {} : { why }), document, what };
    const operation: Operation = value === undefined ? { delete: base + document } : { put: base + document, value };
    const compare = [
      { key: base + document, modRevision: revision },
      { prefix: base + FLAGS_FOLDER, unchangedSince: read.revision },
      { prefix: base + EXPERIMENTS_FOLDER, unchangedSince: read.revision },
    ];
    const { succeeded } = await etcd.transaction({ compare, success: [operation, { put: base + HISTORY_FOLDER + change.id, value: JSON.stringify(change) }] });
    if (!succeeded) throw new Raced(`Somebody changed flags or experiments at the same moment${await lastChange(document, revision)}: look at them again, and repeat your change.`);
    await prune();
    return change;
  }

  async function lastChange(document: string, revision: bigint): Promise<string> {
    const last = (await changes()).find((change) => change.document === document);
    const now = revision === 0n ? '' : `, but at ${revision}`;
    return last ? `${now}: ${last.who} changed it at ${last.at} (${last.what}${last.why === undefined ? '' : `: ${last.why}`})` : now;
  }

  async function changes(): Promise<FlagChange[]> {
    const { entries } = await etcd.list(base + HISTORY_FOLDER);
    return entries.toReversed().flatMap(({ value }) => {
      try {
        return [JSON.parse(value.toString()) as FlagChange];
      } catch {
        return [];
      }
    });
  }

  async function prune(): Promise<void> {
    const { entries } = await etcd.list(base + HISTORY_FOLDER);
    for (const { key } of entries.slice(0, Math.max(0, entries.length - KEPT_CHANGES))) await etcd.delete(key);
  }

  /** Tries again when somebody else was faster, if nobody asked for a certain revision. */
  async function persistently(work: () => Promise<FlagChange>, { ifRevision }: ChangeOptions): Promise<FlagChange> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Raced) || ifRevision !== undefined || attempt === ATTEMPTS) throw error;
      }
    }
  }

  const store: FlagStore = {
    async read() {
      const { flags, experiments } = await readAll();
      const stored = (all: ReadonlyMap<string, EtcdEntry>): StoredDocument[] => [...all].map(([name, { value, modRevision }]) => ({ name, text: value.toString(), revision: modRevision }));
      return { flags: stored(flags), experiments: stored(experiments) };
    },
    applyFlags: (document, text, options = {}) =>
      persistently(async () => {
        if (!DOCUMENT_NAME.test(document)) throw new FlagStoreError(`"${document}" is no name for a document: use up to 64 letters, digits, ".", "_" and "-".`);
        const read = await readAll();
        const checked = checkFlags(document, text, read);
        const { flags } = fitting(checked, read);
        return write(FLAGS_FOLDER + document, text, read, `apply, ${flags} flags`, options);
      }, options),
    removeFlags: (document, options = {}) =>
      persistently(async () => {
        const read = await readAll();
        if (!read.flags.has(document)) throw new FlagStoreError(nothing('document of flags', document, read.flags.keys()));
        fitting({ name: document, flags: new Map(), metadata: {}, flaw: undefined }, read);
        return write(FLAGS_FOLDER + document, undefined, read, 'remove', options);
      }, options),
    setFlagState: (flag, state, options = {}) =>
      persistently(async () => {
        const read = await readAll();
        const found = readable(read.flags, readFlagDocument).filter(({ flags }) => flags.has(flag));
        // The one that counts, where there are two.
        const name = found.at(-1)?.name;
        const entry = name === undefined ? undefined : read.flags.get(name);
        if (!entry) throw new FlagStoreError(nothing('flag', flag, readable(read.flags, readFlagDocument).flatMap(({ flags }) => [...flags.keys()])));
        const json = JSON.parse(entry.value.toString()) as { flags: Record<string, { state: string }> };
        (json.flags[flag] as { state: string }).state = state;
        return write(FLAGS_FOLDER + name, `${JSON.stringify(json, null, 2)}\n`, read, `${state === 'DISABLED' ? 'kill' : 'revive'} ${flag}`, options);
      }, options),
    applyExperiment: (name, input, options = {}) => persistently(async () => putExperiment(name, input, await readAll(), 'apply', options), options),
    changeExperiment: (name, changed, what, options = {}) =>
      persistently(async () => {
        const read = await readAll();
        const entry = read.experiments.get(name);
        if (!entry) throw new FlagStoreError(nothing('experiment', name, read.experiments.keys()));
        const { allocation, ...rest } = storedExperiment(name, entry);
        return putExperiment(name, { ...rest, ...('shares' in changed ? {} : { allocation }), ...changed } as ExperimentInput, read, what, options);
      }, options),
    removeExperiment: (name, options = {}) =>
      persistently(async () => {
        const read = await readAll();
        if (!read.experiments.has(name)) throw new FlagStoreError(nothing('experiment', name, read.experiments.keys()));
        return write(EXPERIMENTS_FOLDER + name, undefined, read, 'remove', options);
      }, options),
    history: changes,
  };
  return store;

  function putExperiment(name: string, input: ExperimentInput, read: Read, what: string, options: ChangeOptions): Promise<FlagChange> {
    const others = readable(read.experiments, readExperiment).filter((experiment) => experiment.name !== name);
    const document = newExperiment(name, input, read.experiments.get(name)?.value.toString(), others);
    const text = `${JSON.stringify(document, null, 2)}\n`;
    const problems = new Map<string, string>();
    snapshotOf(readable(read.flags, readFlagDocument), [readExperiment(name, text)], problems);
    const problem = problems.get(EXPERIMENTS_FOLDER + name);
    if (problem !== undefined) throw new FlagStoreError(`The experiment ${name} is refused: ${problem}.`);
    return write(EXPERIMENTS_FOLDER + name, text, read, what, options);
  }
}

function storedExperiment(name: string, { value }: EtcdEntry): ExperimentInput {
  try {
    return JSON.parse(value.toString()) as ExperimentInput;
  } catch {
    throw new FlagStoreError(`What is stored of the experiment ${name} is broken: apply it again, or remove it.`);
  }
}

class Raced extends FlagStoreError {}

function checkFlags(name: string, text: string, read: Read): FlagDocument {
  let checked: FlagDocument;
  try {
    checked = readFlagDocument(name, text);
  } catch (error) {
    throw error instanceof DocumentError ? new FlagStoreError(`The document ${name} is refused: ${error.message}.`) : error;
  }
  if (checked.flaw !== undefined) throw new FlagStoreError(`The document ${name} is refused: ${checked.flaw}.`);
  for (const other of readable(read.flags, readFlagDocument)) {
    const twice = other.name === name ? undefined : [...checked.flags.keys()].find((flag) => other.flags.has(flag));
    if (twice !== undefined) throw new FlagStoreError(`The document ${name} is refused: the flag ${twice} is in the document ${other.name} already.`);
  }
  return checked;
}

/** Refuses a document without which an experiment could decide nothing. */
function fitting(document: FlagDocument, read: Read): { readonly flags: number } {
  const problems = (all: readonly FlagDocument[]): ReadonlyMap<string, string> => {
    const found = new Map<string, string>();
    snapshotOf(all, readable<Experiment>(read.experiments, readExperiment), found);
    return found;
  };
  const before = readable(read.flags, readFlagDocument);
  const known = problems(before);
  const found = [...problems([...before.filter(({ name }) => name !== document.name), document])].find(([name]) => name.startsWith(EXPERIMENTS_FOLDER) && !known.has(name));
  if (found) throw new FlagStoreError(`The document ${document.name} is refused: the experiment ${found[0].slice(EXPERIMENTS_FOLDER.length)} would decide nothing, as ${found[1]}; change or remove the experiment first.`);
  return { flags: document.flags.size };
}

/** What can be read of what is stored; the rest services complain of. */
function readable<T>(all: ReadonlyMap<string, EtcdEntry>, read: (name: string, text: string) => T): readonly T[] {
  return [...all].flatMap(([name, { value }]) => {
    try {
      return [read(name, value.toString())];
    } catch {
      return [];
    }
  });
}

function nothing(kind: string, name: string, all: Iterable<string>): string {
  const names = [...all];
  return `There is no ${kind} ${name}: ${names.length > 0 ? `there are ${names.toSorted().join(', ')}` : 'there are none yet'}.`;
}
