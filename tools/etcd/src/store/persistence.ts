import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { type KeyRecord } from './record.ts';

/** Who this server is; made once for a data directory. */
export interface Identity {
  /** Decimal uint64, not 0. */
  readonly clusterId: string;
  /** Decimal uint64, not 0. */
  readonly memberId: string;
  /** Grows with every start, as it does when a real member is elected again. */
  readonly raftTerm: number;
}

/** What was granted; the time left is not stored, so that a restart gives every lease its whole TTL again, as etcd does. */
export interface StoredLease {
  readonly id: string;
  /** Seconds. */
  readonly ttl: number;
}

/** Where the store keeps what must survive the process. Every method has returned only when a kill -9 cannot undo it. */
export interface Persistence {
  readonly identity: Identity;
  /** The stored changes, in the order in which they were made. */
  records(): Iterable<KeyRecord>;
  leases(): readonly StoredLease[];
  /** The revision of the last compaction; -1 if there was none. */
  compactRevision(): number;
  /** Users and roles, as `saveAuth` was given them; undefined if it never was. */
  auth(): string | undefined;
  /** Adds the changes of one revision and, in the same step, forgets a lease. */
  save(records: readonly KeyRecord[], revokedLease?: string): void;
  /** Removes records, for compaction. */
  remove(records: readonly KeyRecord[]): void;
  saveLease(lease: StoredLease): void;
  saveCompactRevision(revision: number): void;
  saveAuth(state: string): void;
  /** Bytes taken on disk. */
  size(): number;
  /** Gives free space back to the file system. */
  vacuum(): void;
  close(): void;
}

/** A random id that is positive as an int64 too, because some clients print it as one. */
export function randomId(): string {
  const bytes = randomBytes(8);
  bytes[0] = (bytes[0] as number) & 0x7f;
  return String(bytes.readBigUInt64BE() || 1n);
}

/** Keeps nothing. */
export function createMemoryPersistence(): Persistence {
  return {
    identity: { clusterId: randomId(), memberId: randomId(), raftTerm: 2 },
    records: () => [],
    leases: () => [],
    compactRevision: () => -1,
    auth: () => undefined,
    save: () => {},
    remove: () => {},
    saveLease: () => {},
    saveCompactRevision: () => {},
    saveAuth: () => {},
    size: () => 0,
    vacuum: () => {},
    close: () => {},
  };
}

interface Row {
  key: Uint8Array;
  value: Uint8Array;
  create_revision: number;
  mod_revision: number;
  sub: number;
  version: number;
  lease: string;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    mod_revision INTEGER NOT NULL, sub INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    create_revision INTEGER NOT NULL, version INTEGER NOT NULL, lease TEXT NOT NULL,
    PRIMARY KEY (mod_revision, sub)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS leases (id TEXT PRIMARY KEY, ttl INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** Opens (or makes) the database in a directory. Throws one sentence with the fix if another server has it. */
export async function openPersistence(dataDir: string): Promise<Persistence> {
  // Loaded here because a server in memory has no use for it, and because it prints a warning on older versions of Node.
  const { DatabaseSync } = await import('node:sqlite');
  // Passwords are kept here, if only their hashes.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'etcd.sqlite');
  const database = new DatabaseSync(file);
  try {
    // The exclusive lock is the operating system's: it goes with the process, also on kill -9. In WAL mode each commit is
    // handed to the operating system before it returns; only the machine's own crash can lose the last ones.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
  } catch (cause) {
    database.close();
    if (cause instanceof Error && /locked|busy/i.test(cause.message))
      throw new Error(`Another server uses the data directory ${dataDir}: stop it, or give this one another --data-dir.`, { cause });
    throw new Error(`${file} cannot be used as a database (${cause instanceof Error ? cause.message : String(cause)}): give another --data-dir, or remove the file if its data is not needed.`, { cause });
  }

  const insert = database.prepare('INSERT INTO records (mod_revision, sub, key, value, create_revision, version, lease) VALUES (?, ?, ?, ?, ?, ?, ?)');
  const removeOne = database.prepare('DELETE FROM records WHERE mod_revision = ? AND sub = ?');
  const insertLease = database.prepare('INSERT INTO leases (id, ttl) VALUES (?, ?)');
  const removeLease = database.prepare('DELETE FROM leases WHERE id = ?');
  const readMeta = database.prepare('SELECT value FROM meta WHERE name = ?');
  const writeMeta = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value');

  const meta = (name: string): string | undefined => readMeta.get(name)?.['value'] as string | undefined;
  const insertRecord = (record: KeyRecord): void => {
    insert.run(record.mod, record.sub, Buffer.from(record.key, 'latin1'), record.value, record.create, record.version, record.lease);
  };
  const inTransaction = (work: () => void): void => {
    database.exec('BEGIN');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  };
  const pragma = (name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);

  const identity: Identity = {
    clusterId: meta('cluster_id') ?? randomId(),
    memberId: meta('member_id') ?? randomId(),
    raftTerm: Number(meta('raft_term') ?? 1) + 1,
  };
  inTransaction(() => {
    writeMeta.run('cluster_id', identity.clusterId);
    writeMeta.run('member_id', identity.memberId);
    writeMeta.run('raft_term', String(identity.raftTerm));
  });

  return {
    identity,
    *records() {
      for (const found of database.prepare('SELECT * FROM records ORDER BY mod_revision, sub').iterate()) {
        const row = found as unknown as Row;
        yield {
          key: Buffer.from(row.key).toString('latin1'),
          value: Buffer.from(row.value),
          create: row.create_revision,
          mod: row.mod_revision,
          sub: row.sub,
          version: row.version,
          lease: row.lease,
        };
      }
    },
    leases: () => database.prepare('SELECT id, ttl FROM leases').all() as unknown as StoredLease[],
    compactRevision: () => Number(meta('compact_revision') ?? -1),
    auth: () => meta('auth'),
    save(records, revokedLease) {
      if (records.length === 1 && revokedLease === undefined) {
        insertRecord(records[0] as KeyRecord);
        return;
      }
      inTransaction(() => {
        for (const record of records) insertRecord(record);
        if (revokedLease !== undefined) removeLease.run(revokedLease);
      });
    },
    remove: (records) =>
      inTransaction(() => {
        for (const record of records) removeOne.run(record.mod, record.sub);
      }),
    saveLease: (lease) => {
      insertLease.run(lease.id, lease.ttl);
    },
    saveCompactRevision: (revision) => {
      writeMeta.run('compact_revision', String(revision));
    },
    saveAuth: (state) => {
      writeMeta.run('auth', state);
    },
    size: () => pragma('page_count') * pragma('page_size'),
    vacuum: () => database.exec('VACUUM'),
    close: () => database.close(),
  };
}
