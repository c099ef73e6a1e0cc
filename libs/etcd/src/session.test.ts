import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, openSession, watchPrefix, type Etcd, type WatchEvent } from './index.ts';
import { engines, eventually, type Engine, type EtcdProcess } from './testing/index.ts';

describe('sessions and watches', { concurrency: true }, () => {
  for (const engine of engines) describe(`on ${engine.name}`, { skip: engine.skip, concurrency: false }, () => sessionsAndWatches(engine));
});

function sessionsAndWatches(engine: Engine): void {
  let server: EtcdProcess;
  let etcd: Etcd;
  before(async () => {
    server = await engine.start();
    etcd = connectEtcd({ endpoints: server.endpoint, log });
  });
  after(async () => {
    etcd?.close();
    await server?.stop();
  });

  const keysBelow = async (prefix: string): Promise<string> => (await etcd.list(prefix)).entries.map(({ key }) => key).join();

  it('keeps keys on one lease, longer than its time, and takes them away with it', async () => {
    const session = openSession(etcd, { log, ttlSeconds: 2 });
    await Promise.all([session.keep('s/a', '1').ready, session.keep('s/b', '2').ready]);
    const before = await etcd.get('s/a');
    assert.equal((await etcd.get('s/b'))?.lease, before?.lease);
    assert.notEqual(before?.lease, '0');
    await new Promise((resolve) => setTimeout(resolve, 2700));
    assert.deepEqual(await etcd.get('s/a'), before, 'never put again, never gone');
    await session.release();
    assert.equal(await keysBelow('s/'), '');
    assert.throws(() => session.keep('s/c', ''), /released/);
  });

  it('releases one key and keeps the others', async () => {
    const session = openSession(etcd, { log });
    const one = session.keep('r/a', '1');
    const two = session.keep('r/b', '2');
    await Promise.all([one.ready, two.ready]);
    assert.throws(() => session.keep('r/a', '3'), /already/);
    await one.release();
    await one.release();
    assert.equal(await keysBelow('r/'), 'r/b');
    await session.keep('r/a', '3').ready;
    assert.equal(await keysBelow('r/'), 'r/a,r/b');
    await session.release();
  });

  it('removes only what hangs on its own lease', async () => {
    const [mine, theirs] = [openSession(etcd, { log }), openSession(etcd, { log })];
    const kept = mine.keep('o/key', 'mine');
    await kept.ready;
    await theirs.keep('o/key', 'theirs').ready;
    await kept.release();
    assert.equal((await etcd.get('o/key'))?.value.toString(), 'theirs');
    await mine.release();
    assert.equal((await etcd.get('o/key'))?.value.toString(), 'theirs');
    await theirs.release();
    assert.equal(await etcd.get('o/key'), undefined);
  });

  it('leaves nothing behind when keys are released while they are put', async () => {
    const session = openSession(etcd, { log, ttlSeconds: 2 });
    await session.keep('q/anchor', '').ready;
    for (let i = 0; i < 20; i++) {
      const kept = session.keep(`q/${i}`, '');
      await new Promise((resolve) => setTimeout(resolve, i % 4));
      void kept.release();
    }
    await eventually('only the anchor is left', async () => (await keysBelow('q/')) === 'q/anchor');
    await session.release();
    const quick = openSession(etcd, { log });
    quick.keep('q/quick', '');
    await quick.release();
    await eventually('nothing is left', async () => (await keysBelow('q/')) === '');
  });

  it('keeps another value when told, also before the first one is there and while it is put', async () => {
    const lines: string[] = [];
    const session = openSession(etcd, { log: { ...log, warn: (line) => void lines.push(line) }, ttlSeconds: 2 });
    const kept = session.keep('v/key', '0');
    await kept.set('1');
    for (let i = 2; i < 20; i++) {
      void kept.set(String(i));
      await new Promise((resolve) => setTimeout(resolve, i % 4));
    }
    await kept.ready;
    await kept.set('last');
    assert.equal((await etcd.get('v/key'))?.value.toString(), 'last');
    await etcd.delete('v/key');
    await eventually('the last value is put again', async () => (await etcd.get('v/key'))?.value.toString() === 'last');
    assert.deepEqual(lines, ['a key of ours in etcd is gone: putting it again']);
    await session.release();
    await kept.set('too late');
    assert.equal(await etcd.get('v/key'), undefined);
  });

  it('grants a new lease when somebody ends it', async () => {
    const session = openSession(etcd, { log, ttlSeconds: 2 });
    await session.keep('g/key', 'here').ready;
    const lease = (await etcd.get('g/key'))?.lease ?? '';
    await etcd.leases.revoke(lease);
    await etcd.leases.revoke(lease);
    assert.equal(await etcd.get('g/key'), undefined);
    await eventually('it is there again', async () => (await etcd.get('g/key'))?.value.toString() === 'here');
    assert.notEqual((await etcd.get('g/key'))?.lease, lease);
    await eventually('the session knows', () => session.state.get() === 'held');
    await session.release();
  });

  it('tells a watch of every change in order, with no gap after the listing', async () => {
    await etcd.put('w/0', 'old');
    const told: string[] = [];
    const name = (event: WatchEvent): string => (event.type === 'put' ? `put ${event.entry.key}` : `delete ${event.key}`);
    const watch = watchPrefix(etcd, 'w/', {
      log,
      onSnapshot: (entries) => void told.push(`all ${[...entries.keys()].join()}`),
      onEvents(events) {
        told.push(...events.map(name));
        throw new Error('a listener may throw');
      },
    });
    await watch.ready;
    // The watch itself is not open yet.
    for (let i = 1; i <= 5; i++) await etcd.put(`w/${i}`, '');
    await etcd.put('wx', '');
    await etcd.delete('w/0');
    await eventually('the last change is told', () => told.at(-1) === 'delete w/0');
    assert.deepEqual(told, ['all w/0', 'put w/1', 'put w/2', 'put w/3', 'put w/4', 'put w/5', 'delete w/0']);
    assert.deepEqual([...(watch.entries?.keys() ?? [])], ['w/1', 'w/2', 'w/3', 'w/4', 'w/5']);
    watch.close();
    await etcd.put('w/6', '');
    assert.equal(told.at(-1), 'delete w/0');
  });

  it('tells the revision of a listing, and what one transaction put and deleted by its revision', async () => {
    await etcd.put('t/old', '');
    const listed: bigint[] = [];
    const revisions: bigint[] = [];
    const watch = watchPrefix(etcd, 't/', {
      log,
      onSnapshot: (_, revision) => void listed.push(revision),
      onEvents: (events) => void revisions.push(...events.map((event) => (event.type === 'put' ? event.entry.modRevision : event.revision))),
    });
    await watch.ready;
    const { revision } = await etcd.transaction({ compare: [], success: [{ delete: 't/old' }, { put: 't/new', value: '' }] });
    await eventually('it is told', () => revisions.length === 2);
    assert.deepEqual(revisions, [revision, revision]);
    assert.ok(listed[0] !== undefined && listed[0] > 0n && listed[0] < revision);
    watch.close();
  });

  it('lists anew now and then, although nothing seems wrong', async () => {
    let listings = 0;
    const watch = watchPrefix(etcd, 'again/', { log, resyncMs: 50, onSnapshot: () => void listings++ });
    await eventually('it was listed three times', () => listings >= 3);
    await etcd.put('again/key', '');
    await eventually('it is still watched', () => watch.entries?.has('again/key') === true);
    watch.close();
  });
}

describe('without etcd', () => {
  it('sessions and watches wait, and can be released', async () => {
    const etcd = connectEtcd({ endpoints: '127.0.0.1:1', log, pulseMs: 50 });
    const session = openSession(etcd, { log });
    const kept = session.keep('key', 'value');
    const watch = watchPrefix(etcd, 'key', { log });
    await eventually('the client knows', () => etcd.state.get() === 'unreachable');
    assert.equal(watch.entries, undefined);
    assert.equal(session.state.get(), 'pending');
    await kept.release();
    watch.close();
    await session.release();
    etcd.close();
  });

  it('closing the client ends what was forgotten', { timeout: 60_000 }, async () => {
    const script = `
      import { silentLogger as log } from '@talaria/base';
      import { connectEtcd, openSession, watchPrefix } from '@talaria/etcd';
      const etcd = connectEtcd({ endpoints: '127.0.0.1:1', log, pulseMs: 50 });
      openSession(etcd, { log }).keep('key', 'value');
      openSession(etcd, { log });
      watchPrefix(etcd, 'key', { log });
      etcd.state.onChange(() => etcd.close());`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: import.meta.dirname, stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.equal(code, 0);
  });
});
