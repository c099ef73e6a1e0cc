import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, watchPrefix, type Etcd } from './index.ts';
import { engines, eventually, type EtcdProcess } from './testing/index.ts';

for (const engine of engines) {
  describe(`requests to ${engine.name}`, { skip: engine.skip }, () => {
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

    it('puts, gets and deletes', async () => {
      assert.equal(await etcd.get('a/one'), undefined);
      await etcd.put('a/one', 'text');
      await etcd.put('a/bytes', Uint8Array.of(0, 255));
      const entry = await etcd.get('a/one');
      assert.equal(entry?.value.toString(), 'text');
      assert.equal(entry?.lease, '0');
      assert.equal(entry?.createRevision, entry?.modRevision);
      assert.deepEqual([...((await etcd.get('a/bytes'))?.value ?? [])], [0, 255]);
      assert.equal(await etcd.delete('a/one'), true);
      assert.equal(await etcd.delete('a/one'), false);
      assert.equal(etcd.state.get(), 'reachable');
    });

    it('lists exactly what starts with the prefix', async () => {
      for (const key of ['l/a', 'l/b/c', 'l', 'l0', 'k', 'm']) await etcd.put(key, key);
      const { entries, revision } = await etcd.list('l/');
      assert.deepEqual(entries.map(({ key }) => key), ['l/a', 'l/b/c']);
      await etcd.put('l/d', '');
      assert.equal((await etcd.list('l/')).revision, revision + 1n);
    });

    it('creates only what is absent, and sets only what was not changed', async () => {
      assert.equal(await etcd.createIfAbsent('t/key', '1'), true);
      assert.equal(await etcd.createIfAbsent('t/key', '2'), false);
      const read = await etcd.get('t/key');
      assert.equal(await etcd.compareAndSet('t/key', read, '3'), true);
      assert.equal(await etcd.compareAndSet('t/key', read, '4'), false);
      assert.equal((await etcd.get('t/key'))?.value.toString(), '3');
    });

    it('does all of a transaction or nothing, and sees whether a prefix was written to', async () => {
      const { revision } = await etcd.list('x/');
      const first = { compare: [{ prefix: 'x/', unchangedSince: revision }], success: [{ put: 'x/a', value: '1' }, { put: 'x/b', value: '1' }] };
      assert.equal((await etcd.transaction(first)).succeeded, true);
      assert.equal((await etcd.transaction({ ...first, success: [{ delete: 'x/a' }] })).succeeded, false);
      assert.equal((await etcd.list('x/')).entries.length, 2);
      assert.equal((await etcd.transaction({ compare: [{ key: 'x/a', lease: '0' }], success: [{ delete: 'x/a' }, { put: 'x/c', value: '' }] })).succeeded, true);
      assert.deepEqual((await etcd.list('x/')).entries.map(({ key }) => key), ['x/b', 'x/c']);
    });

    it('knows how long a lease still has', async () => {
      const { id, ttlSeconds } = await etcd.leases.grant(600);
      const left = (await etcd.leases.remaining(id)) ?? 0;
      assert.ok(left > 0 && left <= ttlSeconds, String(left));
      await etcd.leases.revoke(id);
      assert.equal(await etcd.leases.remaining(id), undefined);
    });

    it('tells that it is well', async () => {
      assert.equal(etcd.checker().name, 'etcd');
      const found = await etcd.checker().check(AbortSignal.timeout(10_000));
      assert.deepEqual(found['endpoints'], [server.endpoint]);
    });

    it('finds the endpoint that is there among others that are not', async () => {
      const many = connectEtcd({ endpoints: ['http://127.0.0.1:1', server.endpoint, 'http://127.0.0.1:2'], log });
      for (let i = 0; i < 20; i++) await many.put('many/key', String(i));
      assert.equal((await many.get('many/key'))?.value.toString(), '19');
      many.close();
    });

    it('runs watches outside of the call that started them', async () => {
      const call = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const look = (): void => void seen.push(call.getStore());
      const own = connectEtcd({ endpoints: server.endpoint, log });
      const watch = call.run('a call', () => watchPrefix(own, 'outside/', { log, onSnapshot: look, onEvents: look }));
      await watch.ready;
      await own.put('outside/key', '');
      await eventually('both listeners were called', () => seen.length === 2);
      assert.deepEqual(seen, [undefined, undefined]);
      watch.close();
      own.close();
    });
  });
}

describe('an etcd that is not there', () => {
  it('does not fail the connect; requests fail at once, and the checker with them', async () => {
    const etcd = connectEtcd({ endpoints: '127.0.0.1:1', log });
    assert.equal(etcd.state.get(), 'unknown');
    await assert.rejects(etcd.get('key'), /No connection established/);
    assert.equal(etcd.state.get(), 'unreachable');
    await assert.rejects(async () => etcd.checker().check(AbortSignal.timeout(10_000)));
    etcd.close();
    etcd.close();
    await assert.rejects(etcd.get('key'), /closed/);
  });

  it('fails requests at their deadline when it accepts connections and says nothing', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const etcd = connectEtcd({ endpoints: `127.0.0.1:${(silent.address() as AddressInfo).port}`, log, requestTimeoutMs: 200 });
    await assert.rejects(etcd.get('key'), /[Dd]eadline/);
    await assert.rejects(etcd.leases.keepAlive('1'), /[Dd]eadline/);
    assert.equal(etcd.state.get(), 'unreachable');
    etcd.close();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});
