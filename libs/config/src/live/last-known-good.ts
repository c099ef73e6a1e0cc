import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newId, type Logger } from '@talaria/base';
import type { ConfigReader, TargetPath } from '../setting-names.ts';
import type { RawEntry } from './config-source.ts';

/** What was in force of one target. */
export interface KnownTarget {
  readonly revision: bigint;
  /** Without temporary ones, of whose end nobody would know; secrets are as in the store: encrypted. */
  readonly entries: ReadonlyMap<string, RawEntry>;
  /** Names that the store had lost. */
  readonly lost: readonly string[];
  /** By what the store is known again. */
  readonly mark: StoreMark | undefined;
}

/** The id that a store had given the settings of a version. */
export interface StoreMark {
  readonly version: string;
  readonly id: string;
}

/** What was in force last, by target. */
export type KnownTargets = ReadonlyMap<TargetPath, KnownTarget>;

/** What was in force last, on disk. */
export interface LastKnownGood {
  /** Undefined if there is nothing that can be used. Never rejects. */
  read(): Promise<KnownTargets | undefined>;
  /** Writes it soon, the latest one only. What cannot be written is logged, once. */
  write(targets: KnownTargets): void;
  /** Resolves when nothing is being written any more. */
  close(): Promise<void>;
}

/** Where it is. */
export interface LastKnownGoodOptions extends Pick<ConfigReader, 'service'> {
  readonly namespace: string;
  /** Undefined: nowhere. */
  readonly stateDir: string | undefined;
  readonly log: Logger;
}

interface StoredFile {
  readonly format: 1;
  readonly namespace: string;
  readonly service: string;
  readonly saved_at: string;
  readonly targets: Readonly<Record<string, StoredTarget>>;
}
interface StoredTarget {
  readonly revision: string;
  readonly mark?: StoreMark;
  readonly lost?: readonly string[];
  readonly entries: Readonly<Record<string, { readonly value: string; readonly revision: string; readonly created: string }>>;
}

function toStored({ revision, entries, lost, mark }: KnownTarget): StoredTarget {
  const stored: Record<string, StoredTarget['entries'][string]> = {};
  for (const [name, entry] of entries) stored[name] = { value: Buffer.from(entry.value).toString(), revision: String(entry.revision), created: String(entry.createRevision) };
  return { revision: String(revision), ...(mark ? { mark } : {}), ...(lost.length > 0 ? { lost } : {}), entries: stored };
}

function fromStored({ revision, entries, lost = [], mark }: StoredTarget): KnownTarget {
  const found = Object.entries(entries).map(([name, each]) => [name, { value: Buffer.from(each.value), revision: BigInt(each.revision), createRevision: BigInt(each.created) }] as const);
  return { revision: BigInt(revision), entries: new Map(found), lost, mark };
}

/** Keeps what was in force in `<stateDir>/config/<service>.json`, for its owner only. */
export function lastKnownGood({ service, namespace, stateDir, log }: LastKnownGoodOptions): LastKnownGood {
  const file = stateDir === undefined ? undefined : join(stateDir, 'config', `${service.replace(/[^\w.-]/g, '_')}.json`);
  let waiting: KnownTargets | undefined;
  let writing: Promise<void> | undefined;
  let said = '';
  let complained = false;

  const save = async (to: string, targets: KnownTargets): Promise<void> => {
    const stored = Object.fromEntries([...targets].map(([path, target]) => [path, toStored(target)]));
    const content = JSON.stringify(stored);
    if (content === said) return;
    const aside = `${to}.${newId('tmp')}`;
    try {
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      await writeFile(aside, `${JSON.stringify({ format: 1, namespace, service, saved_at: new Date().toISOString(), targets: stored } satisfies StoredFile)}\n`, { mode: 0o600, flush: true });
      await rename(aside, to);
      said = content;
    } catch (error) {
      await rm(aside, { force: true }).catch(() => {});
      if (complained) return;
      complained = true;
      log.warn('the settings in force cannot be kept on disk: should etcd be away at the next start, they will be missing. Set TALARIA_STATE_DIR to a folder that may be written', {
        file: to,
        reason: (error as NodeJS.ErrnoException).code ?? (error as Error).message,
      });
    }
  };
  const run = async (to: string): Promise<void> => {
    for (let targets = waiting; targets; targets = waiting) {
      waiting = undefined;
      await save(to, targets);
    }
    writing = undefined;
  };

  return {
    async read() {
      if (file === undefined) return undefined;
      try {
        const stored = JSON.parse(await readFile(file, 'utf8')) as StoredFile;
        if (stored.format !== 1 || stored.namespace !== namespace || stored.service !== service) return undefined;
        return new Map(Object.entries(stored.targets).map(([path, target]) => [path as TargetPath, fromStored(target)]));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT') log.warn('the settings that were last in force cannot be read from disk: going on without', { file, reason: code ?? 'it is damaged' });
        return undefined;
      }
    },
    write(targets) {
      if (file === undefined) return;
      waiting = targets;
      writing ??= run(file);
    },
    async close() {
      await writing;
    },
  };
}
