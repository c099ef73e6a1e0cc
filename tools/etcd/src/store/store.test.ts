import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createMemoryPersistence, openPersistence, type Persistence } from './persistence.ts';
import { NO_LEASE, type KeyRecord } from './record.ts';
import { createStore, type Store } from './store.ts';

const put = (store: Store, key: string, value: string): void => store.write((writer) => writer.put(key, Buffer.from(value), NO_LEASE));
const remove = (store: Store, key: string): number => store.write((writer) => writer.deleteRange({ key }));
const read = (store: Store, key: string, revision?: number): string | undefined => store.range({ key }, revision)[0]?.value.toString();
const EVERYTHING = { key: '', end: null };
const NO_LIMIT = { scan: Infinity, bytes: Infinity };

async function dataDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'etcd-store-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** In memory, with what it was told to keep. */
function recording(): Persistence & { readonly kept: Set<KeyRecord> } {
  const kept = new Set<KeyRecord>();
  return {
    ...createMemoryPersistence(),
    kept,
    save: (records) => records.forEach((record) => kept.add(record)),
    remove: (records) => records.forEach((record) => assert.ok(kept.delete(record), 'removed twice')),
  };
}

test('reads every revision since the last compaction, and refuses others', async () => {
  const store = createStore(createMemoryPersistence());
  put(store, 'k', 'two');
  put(store, 'k', 'three');
  remove(store, 'k');
  put(store, 'k', 'five');
  assert.deepEqual([1, 2, 3, 4, 5].map((revision) => read(store, 'k', revision)), [undefined, 'two', 'three', undefined, 'five']);
  assert.deepEqual(store.range({ key: 'k' }).map(({ create, version }) => [create, version]), [[5, 1]]);
  assert.throws(() => read(store, 'k', 6), /future revision/);
  await store.compact(3);
  assert.equal(read(store, 'k', 3), 'three');
  assert.throws(() => read(store, 'k', 2), /compacted/);
  assert.throws(() => store.compact(3), /compacted/);
  assert.throws(() => store.compact(6), /future revision/);
});

test('a compaction frees exactly what nobody can read, and lets other work through', async () => {
  const persistence = recording();
  const store = createStore(persistence);
  for (let n = 0; n < 3000; n++) put(store, `k${n % 10}`, String(n));
  remove(store, 'k0');
  const at = store.revision();
  put(store, 'k1', 'later');
  let turns = 0;
  const count = (): void => {
    turns++;
    handle = setImmediate(count);
  };
  let handle = setImmediate(count);
  const done = store.compact(at);
  put(store, 'k0', 'again');
  await done;
  clearImmediate(handle);
  assert.ok(turns >= 5, `${turns} turns`);
  // The nine keys that were alive at the compacted revision, and two later changes.
  assert.equal(persistence.kept.size, 11);
  assert.equal(store.range(EVERYTHING, at).length, 9);
  assert.equal(read(store, 'k0'), 'again');
  assert.equal(store.history(EVERYTHING, at, NO_LIMIT).records.length, 2);
});

test('a write that fails changes nothing', () => {
  const memory = createMemoryPersistence();
  let full = false;
  const store = createStore({
    ...memory,
    save: () => {
      if (full) throw new Error('no space left on device');
    },
  });
  let commits = 0;
  store.onCommit(() => commits++);
  put(store, 'k', '1');
  full = true;
  assert.throws(() => put(store, 'k', '2'), /database space exceeded/);
  assert.throws(() => put(store, 'new', '2'), /database space exceeded/);
  assert.throws(() =>
    store.write((writer) => {
      writer.put('k', Buffer.from('3'), NO_LEASE);
      throw new Error('no');
    }),
  );
  full = false;
  assert.deepEqual(store.range(EVERYTHING).map(({ key, value }) => [key, value.toString()]), [['k', '1']]);
  assert.equal(store.revision(), 2);
  put(store, 'k', '4');
  assert.equal(commits, 2);
  assert.deepEqual(store.range({ key: 'k' }).map(({ version, mod }) => [version, mod]), [[2, 3]]);
});

test('history never splits a revision', () => {
  const store = createStore(createMemoryPersistence());
  for (let n = 0; n < 3; n++) {
    store.write((writer) => {
      for (const key of ['a', 'b', 'c']) writer.put(key, Buffer.from('v'), NO_LEASE);
    });
  }
  const first = store.history(EVERYTHING, 2, { scan: 1, bytes: Infinity });
  assert.deepEqual([first.records.length, first.next], [3, 3]);
  const byBytes = store.history(EVERYTHING, 2, { scan: Infinity, bytes: 7 });
  assert.deepEqual([byBytes.records.length, byBytes.next], [6, 4]);
  assert.deepEqual(store.history({ key: 'x' }, 2, NO_LIMIT), { records: [], next: 5 });
});

test('opens with everything it had, and finishes a compaction that was cut short', async (t) => {
  const dir = await dataDir(t);
  const opened = await openPersistence(dir);
  const store = createStore(opened);
  const blob = Buffer.from([0, 255, 128]);
  store.write((writer) => writer.put('\x00\xff', blob, '9223372036854775807'));
  put(store, 'k', 'old');
  put(store, 'gone', 'x');
  remove(store, 'gone');
  put(store, 'k', 'new');
  opened.saveLease({ id: '9223372036854775807', ttl: 60 });
  // What a crash right after the start of a compaction leaves behind.
  opened.saveCompactRevision(store.revision());
  opened.close();

  const again = await openPersistence(dir);
  assert.equal([...again.records()].length, 5);
  const reopened = createStore(again);
  assert.deepEqual([reopened.revision(), reopened.compactRevision()], [6, 6]);
  assert.deepEqual(reopened.range({ key: '\x00\xff' })[0]?.value, blob);
  assert.equal(reopened.range({ key: '\x00\xff' })[0]?.lease, '9223372036854775807');
  assert.equal(read(reopened, 'k'), 'new');
  assert.equal(read(reopened, 'gone'), undefined);
  assert.equal([...again.records()].length, 2);
  assert.deepEqual(again.leases().map(({ id, ttl }) => ({ id, ttl })), [{ id: '9223372036854775807', ttl: 60 }]);
  assert.equal(again.identity.raftTerm, opened.identity.raftTerm + 1);
  assert.equal(again.identity.clusterId, opened.identity.clusterId);
  again.close();
});
