// What clients rely on, through the etcd3 client and raw requests: the same suite against ours and against etcd.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Etcd3 } from 'etcd3';
import { type WatchResponse } from './messages.ts';
import { type EtcdServer } from './start.ts';
import { collect } from './testing/collect.ts';
import { ours, real } from './testing/engines.ts';
import { rawClient, type RawClient } from './testing/raw-client.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const MIB = 1024 * 1024;

for (const engine of [ours, real]) {
  describe(`etcd's behaviour: ${engine.name}`, { skip: engine.skip, timeout: 60_000 }, () => {
    let server: EtcdServer;
    let client: Etcd3;
    let raw: RawClient;
    before(async () => {
      server = await engine.start();
      client = new Etcd3({ hosts: `http://${server.address}` });
      raw = rawClient(server.address);
    });
    after(async () => {
      client.close();
      raw.close();
      await server.stop();
    });

    const put = (key: string, value = ''): Promise<Record<string, unknown>> => raw.call('KV', 'Put', { key: bytes(key), value: bytes(value) });
    const revision = async (): Promise<number> => Number(((await raw.call('KV', 'Range', { key: bytes('-') }))['header'] as { revision: string }).revision);

    function watch() {
      const stream = raw.watch();
      const responses = collect<WatchResponse>();
      stream.on('data', responses.push);
      stream.on('error', () => {});
      return { stream, responses };
    }

    it('puts, reads, lists by prefix and deletes', async () => {
      const namespace = client.namespace('kv/');
      await namespace.put('a').value('1');
      await namespace.put('b').value('2');
      assert.equal(await namespace.get('a').string(), '1');
      assert.deepEqual(await namespace.getAll().strings(), { a: '1', b: '2' });
      assert.equal((await namespace.delete().all()).deleted, '2');
      assert.equal(await namespace.get('a').string(), null);
    });

    it('runs one of two competing transactions', async () => {
      const claim = (who: string) => client.if('claim', 'Create', '==', 0).then(client.put('claim').value(who)).else(client.get('claim')).commit();
      const [a, b] = await Promise.all([claim('a'), claim('b')]);
      assert.notEqual(a.succeeded, b.succeeded);
    });

    it('keeps keys that are not UTF-8 apart and in byte order', async () => {
      for (const key of ['bin/\xff', 'bin/\x80', 'bin/\xc3\xa9', 'bin/z']) await put(key, key);
      const { kvs } = (await raw.call('KV', 'Range', { key: bytes('bin/'), range_end: bytes('bin0') })) as unknown as { kvs: { key: Buffer }[] };
      assert.deepEqual(kvs.map(({ key }) => key.toString('latin1')), ['bin/z', 'bin/\x80', 'bin/\xc3\xa9', 'bin/\xff']);
    });

    it('refuses a request over 1.5 MiB, and changes nothing', async () => {
      const answer = await raw.call('KV', 'Put', { key: bytes('large'), value: Buffer.alloc(1.6 * MIB) });
      assert.equal(answer['error'], '3 etcdserver: request is too large');
      assert.equal(await client.get('large').string(), null);
    });

    it('deletes the keys of a lease when it expires, and only those that still hang on it', async () => {
      const granted = await raw.call('Lease', 'LeaseGrant', { TTL: '1' });
      assert.equal(granted['TTL'], '2');
      const lease = granted['ID'] as string;
      await raw.call('KV', 'Put', { key: bytes('leased/kept'), lease });
      await raw.call('KV', 'Put', { key: bytes('leased/gone'), lease });
      await put('leased/kept', 'detached');
      const { stream, responses } = watch();
      stream.write({ create_request: { key: bytes('leased/'), range_end: bytes('leased0') } });
      const [, gone] = await responses.take(2);
      stream.cancel();
      assert.deepEqual(gone?.events?.map(({ type, kv }) => [type, kv.key.toString()]), [[1, 'leased/gone']]);
      assert.equal(await client.get('leased/kept').string(), 'detached');
      assert.equal((await raw.call('Lease', 'LeaseTimeToLive', { ID: lease }))['TTL'], '-1');
    });

    it('keeps a lease alive while it is renewed, and deletes all its keys in one revision when it is revoked', async () => {
      const lease = client.lease(2);
      await lease.put('alive/a').value('1');
      await lease.put('alive/b').value('2');
      await lease.keepaliveOnce();
      assert.equal(await client.get('alive/a').string(), '1');
      const before = await revision();
      await lease.revoke();
      assert.equal(await revision(), before + 1);
      assert.deepEqual(await client.getAll().prefix('alive/').keys(), []);
    });

    it('answers a renewal of an unknown lease with a TTL of 0', async () => {
      const lease = client.lease(10);
      await lease.grant();
      await lease.revoke();
      await assert.rejects(lease.keepaliveOnce());
    });

    it('watches through the client: puts, deletes, and what was before', async () => {
      const watcher = await client.watch().key('watched').withPreviousKV().create();
      const heard = collect<string>();
      watcher.on('put', (kv, previous) => heard.push(`put ${kv.value.toString()} after ${previous?.value.toString() ?? 'nothing'}`));
      watcher.on('delete', (kv, previous) => heard.push(`delete ${kv.key.toString()} after ${previous?.value.toString() ?? 'nothing'}`));
      await client.put('watched').value('1');
      await client.put('watched').value('2');
      await client.delete().key('watched');
      assert.deepEqual(await heard.take(3), ['put 1 after nothing', 'put 2 after 1', 'delete watched after 2']);
      watcher.cancel().catch(() => {});
    });

    it('serves several watches on one stream, with ids of its choice or the client\'s, and cancels one alone', async () => {
      const { stream, responses } = watch();
      stream.write({ create_request: { key: bytes('multi/a') } });
      stream.write({ create_request: { key: bytes('multi/b'), watch_id: '7' } });
      stream.write({ create_request: { key: bytes('multi/c'), watch_id: '7' } });
      stream.write({ create_request: { key: bytes('z'), range_end: bytes('a') } });
      const created = await responses.take(4);
      assert.deepEqual(
        created.map(({ watch_id = '0', canceled = false, cancel_reason = '' }) => [watch_id, canceled, cancel_reason]),
        [
          ['0', false, ''],
          ['7', false, ''],
          ['-1', true, 'mvcc: duplicate watch ID provided on the WatchStream'],
          ['-1', true, 'mvcc: watcher range is empty'],
        ],
      );
      stream.write({ cancel_request: { watch_id: '7' } });
      assert.equal((await responses.take(5))[4]?.canceled, true);
      await put('multi/b');
      await put('multi/a');
      assert.equal((await responses.take(6))[5]?.events?.[0]?.kv.key.toString(), 'multi/a');
      stream.cancel();
    });

    it('replays from a revision, cancels a watch that starts before a compaction, and starts one after it', async () => {
      await put('replay', '1');
      const first = await revision();
      await put('replay', '2');
      await put('replay', '3');
      const { stream, responses } = watch();
      stream.write({ create_request: { key: bytes('replay'), start_revision: String(first) } });
      const [, replayed] = await responses.take(2);
      assert.deepEqual(replayed?.events?.map(({ kv }) => kv.value?.toString()), ['1', '2', '3']);
      await raw.call('KV', 'Compact', { revision: String(first + 2), physical: true });
      stream.write({ create_request: { key: bytes('replay'), start_revision: String(first) } });
      const [, , created, canceled] = await responses.take(4);
      assert.equal(created?.created, true);
      assert.equal(canceled?.canceled, true);
      assert.equal(canceled?.compact_revision, String(first + 2));
      stream.write({ create_request: { key: bytes('replay'), start_revision: String(first + 2) } });
      assert.deepEqual((await responses.take(6))[5]?.events?.map(({ kv }) => kv.value?.toString()), ['3']);
      stream.cancel();
      const old = await raw.call('KV', 'Range', { key: bytes('replay'), revision: String(first) });
      assert.equal(old['error'], '11 etcdserver: mvcc: required revision has been compacted');
    });

    it('waits for a revision that is still to come', async () => {
      const future = (await revision()) + 2;
      const { stream, responses } = watch();
      stream.write({ create_request: { key: bytes('future'), start_revision: String(future) } });
      await responses.take(1);
      await put('future', 'too early');
      await put('future', 'now');
      assert.deepEqual((await responses.take(2))[1]?.events?.map(({ kv }) => kv.value?.toString()), ['now']);
      stream.cancel();
    });

    it('says on request how far a stream is', async () => {
      const { stream, responses } = watch();
      stream.write({ create_request: { key: bytes('progress') } });
      await responses.take(1);
      stream.write({ progress_request: {} });
      const progress = (await responses.take(2))[1];
      assert.equal(progress?.watch_id, '-1');
      assert.equal(Number(progress?.header.revision), await revision());
      stream.cancel();
    });

    it('splits a large response into fragments when the watch allows it', async () => {
      const start = (await revision()) + 1;
      for (let n = 0; n < 4; n++) await raw.call('KV', 'Put', { key: bytes(`fragment/${n}`), value: Buffer.alloc(MIB) });
      await raw.call('KV', 'DeleteRange', { key: bytes('fragment/'), range_end: bytes('fragment0') });
      const { stream, responses } = watch();
      stream.write({ create_request: { key: bytes('fragment/'), range_end: bytes('fragment0'), start_revision: String(start + 4), prev_kv: true, fragment: true } });
      const [, ...parts] = await responses.take(5);
      stream.cancel();
      assert.deepEqual(parts.map(({ fragment = false, events }) => [fragment, events?.length]), [
        [true, 1],
        [true, 1],
        [true, 1],
        [false, 1],
      ]);
    });

    it('loses nothing for a reader that pauses, and serves others meanwhile', async () => {
      const { stream, responses } = watch();
      stream.write({ create_request: { key: bytes('slow/'), range_end: bytes('slow0') } });
      await responses.take(1);
      stream.pause();
      const value = Buffer.alloc(64 * 1024);
      for (let n = 0; n < 200; n++) await raw.call('KV', 'Put', { key: bytes(`slow/${n}`), value });
      const quick = watch();
      quick.stream.write({ create_request: { key: bytes('quick') } });
      await quick.responses.take(1);
      await put('quick');
      await quick.responses.take(2);
      quick.stream.cancel();
      const seen = collect<string>();
      stream.on('data', ({ events = [] }: WatchResponse) => events.forEach(({ kv }) => seen.push(kv.key.toString())));
      stream.resume();
      assert.deepEqual(await seen.take(200), Array.from({ length: 200 }, (_, n) => `slow/${n}`));
      stream.cancel();
    });

    it('has one member and a status', async () => {
      const { members } = (await raw.call('Cluster', 'MemberList', {})) as unknown as { members: { ID: string; clientURLs: string[] }[] };
      assert.equal(members.length, 1);
      assert.deepEqual(members[0]?.clientURLs, [`http://${server.address}`]);
      const status = await raw.call('Maintenance', 'Status', {});
      assert.equal(status['leader'], members[0]?.ID);
      assert.match(String(status['version']), /^3\.\d+\.\d+$/);
    });

    it('locks and elects with the client\'s recipes', async () => {
      const order: string[] = [];
      const lock = await client.lock('lock').acquire();
      const other = new Etcd3({ hosts: `http://${server.address}` });
      await assert.rejects(other.lock('lock').acquire());
      await lock.release();
      await other.lock('lock').do(() => order.push('second'));
      other.close();
      assert.deepEqual(order, ['second']);
      const election = client.election('chair');
      const campaign = election.campaign('me');
      await new Promise((resolve, reject) => campaign.once('elected', resolve).once('error', reject));
      assert.equal(await election.leader(), 'me');
      await campaign.resign();
    });
  });
}
