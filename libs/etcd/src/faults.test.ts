import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { Etcd3 } from 'etcd3';
import { connectEtcd, openSession, watchPrefix, type Etcd, type Session, type Watch } from './index.ts';
import { engines, eventually, type Engine, type EtcdProcess } from './testing/index.ts';

// The five faults that break raw etcd3, in the proportions in which they were measured, with a lease of 2 s instead of 4 s.
const TTL_SECONDS = 2;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the five faults', { concurrency: true }, () => {
  for (const engine of engines) describe(`of ${engine.name}`, { skip: engine.skip, concurrency: false }, () => faults(engine));
});

function faults(engine: Engine): void {
  let server: EtcdProcess;
  let etcd: Etcd;
  let other: Etcd;
  let session: Session;
  let watch: Watch;
  let written = 0;

  before(async () => {
    server = await engine.start();
    etcd = connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 1000, pulseMs: 200 });
    other = connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 1000, pulseMs: 200 });
    session = openSession(etcd, { log, ttlSeconds: TTL_SECONDS });
    watch = watchPrefix(other, 'test/', { log });
    await session.keep('test/kept', 'here').ready;
    await holds();
  });

  after(async () => {
    watch?.close();
    await session?.release();
    etcd?.close();
    other?.close();
    await server?.stop();
  });

  /** The key is in etcd, on a living lease, and the watch sees what is written from now on. */
  async function holds(): Promise<void> {
    await eventually('the key is in etcd', async () => (await other.get('test/kept').catch(() => undefined))?.value.toString() === 'here');
    const value = `write ${++written}`;
    await eventually('etcd takes writes', () =>
      etcd.put('test/other', value).then(
        () => true,
        () => false,
      ),
    );
    await eventually('the watch sees a write', () => watch.entries?.get('test/other')?.value.toString() === value);
    await eventually('the watch sees the kept key', () => watch.entries?.get('test/kept')?.value.toString() === 'here');
    await eventually('the session knows', () => session.state.get() === 'held');
  }

  const keptLease = async (): Promise<string | undefined> => (await other.get('test/kept'))?.lease;

  it('survives etcd being away for longer than the lease, on the same lease', async () => {
    const before = await keptLease();
    await server.kill();
    await eventually('the client knows', () => etcd.state.get() === 'unreachable' && other.state.get() === 'unreachable');
    await pause(TTL_SECONDS * 1000);
    assert.equal(watch.entries?.get('test/kept')?.value.toString(), 'here', 'what was last known is kept');
    await server.restart();
    await holds();
    assert.equal(await keptLease(), before);
  });

  it('survives etcd being away for a moment', async () => {
    await server.restart();
    await holds();
  });

  it('survives the loss of all data', async () => {
    // So that the new store is far behind the old revision.
    for (let i = 0; i < 50; i++) await etcd.put('test/other', `filler ${i}`);
    const before = await keptLease();
    await server.restart({ empty: true });
    await holds();
    assert.notEqual(await keptLease(), before);
  });

  it('survives etcd frozen for longer than the lease', async () => {
    server.freeze();
    await eventually('the client knows', () => etcd.state.get() === 'unreachable' && other.state.get() === 'unreachable');
    await pause(TTL_SECONDS * 600);
    server.thaw();
    await holds();
    // The lease may have run out on the first look at it after the thaw, or a little later.
    await pause(TTL_SECONDS * 400);
    await holds();
  });

  it('survives compaction, also of the revision to watch from', async () => {
    const { revision } = await etcd.list('test/');
    const raw = new Etcd3({ hosts: server.endpoint });
    await raw.kv.compact({ revision: String(revision) });
    raw.close();
    await holds();
    // What is compacted between the listing and the watch is met by a listing that claims to be old.
    let listings = 0;
    const late: Etcd = {
      ...other,
      async list(prefix) {
        const listed = await other.list(prefix);
        return ++listings === 1 ? { ...listed, revision: 1n } : listed;
      },
    };
    const lateWatch = watchPrefix(late, 'test/', { log });
    await etcd.put('test/late', 'seen');
    await eventually('the late watch sees it', () => lateWatch.entries?.get('test/late')?.value.toString() === 'seen');
    await eventually('it has listed again', () => listings === 2);
    await etcd.put('test/late', 'seen again');
    await eventually('the late watch goes on', () => lateWatch.entries?.get('test/late')?.value.toString() === 'seen again');
    lateWatch.close();
  });

  it('puts back what somebody else deletes or overwrites', async () => {
    await etcd.delete('test/kept');
    await holds();
    await etcd.put('test/kept', 'taken');
    await holds();
    assert.notEqual(await keptLease(), '0');
  });
}
