import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, openSession, watchPrefix, type Etcd, type Session, type Watch } from './index.ts';
import { engines, eventually, startCluster, type EtcdCluster } from './testing/index.ts';

const LIMIT_MS = 60_000;

describe('three members of a real etcd', { skip: engines[1]?.skip ?? false, concurrency: false, timeout: 240_000 }, () => {
  let cluster: EtcdCluster;
  let etcd: Etcd;
  let session: Session;
  let watch: Watch;
  let written = 0;

  before(async () => {
    cluster = await startCluster(3);
    etcd = connectEtcd({ endpoints: cluster.endpoints, log, requestTimeoutMs: 1000, pulseMs: 200 });
    session = openSession(etcd, { log, ttlSeconds: 3 });
    watch = watchPrefix(etcd, 'test/', { log });
    await session.keep('test/kept', 'here').ready;
    await holds();
  });
  after(async () => {
    watch?.close();
    await session?.release();
    etcd?.close();
    await cluster?.stop();
  });

  /** Writes arrive, the watch sees what is written from now on, and the key is there. */
  async function holds(): Promise<void> {
    // A key of its own each time: a member that was frozen may carry out, once it wakes, a write that was given up and repeated elsewhere.
    const key = `test/write-${++written}`;
    await eventually('etcd takes writes', () => etcd.put(key, 'written').then(() => true, () => false), LIMIT_MS);
    await eventually('the watch sees a write', () => watch.entries?.has(key) ?? false, LIMIT_MS);
    await eventually('the key is in etcd', async () => (await etcd.get('test/kept').catch(() => undefined))?.value.toString() === 'here', LIMIT_MS);
    await eventually('the watch sees the key', () => watch.entries?.get('test/kept')?.value.toString() === 'here', LIMIT_MS);
    await eventually('the session knows', () => session.state.get() === 'held', LIMIT_MS);
  }

  it('go on while any one of them is frozen', async () => {
    for (let member = 0; member < 3; member++) {
      cluster.freeze(member);
      await holds();
      cluster.thaw(member);
    }
    await holds();
  });

  it('go on when their leader is killed, and another takes over', async () => {
    const first = await cluster.leader();
    await cluster.kill(first);
    await holds();
    assert.notEqual(await cluster.leader(), first);
    cluster.start(first);
    await holds();
  });

  it('go on with what a backup had: what is ours is put again, and what was written since is gone', async () => {
    await etcd.put('test/old', 'in the backup');
    const backup = await cluster.backup();
    await etcd.put('test/old', 'changed since');
    await etcd.put('test/new', 'made since');
    await eventually('the watch sees it', () => watch.entries?.has('test/new') ?? false, LIMIT_MS);
    await cluster.restore(backup);
    await holds();
    await eventually('the watch shows what is in etcd', () => watch.entries?.get('test/old')?.value.toString() === 'in the backup' && !watch.entries.has('test/new'), LIMIT_MS);
  });

  it('keep what was last known while only one of them is left, and go on when there are two', async () => {
    await cluster.kill(0);
    await cluster.kill(1);
    await eventually('the client knows', () => etcd.state.get() === 'unreachable', LIMIT_MS);
    assert.equal(watch.entries?.get('test/kept')?.value.toString(), 'here');
    cluster.start(1);
    await holds();
  });
});
