import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLogger, silentLogger as log } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines, eventually, type Engine, type EtcdProcess } from '@talaria/etcd/testing';
import type { Resolution } from '@talaria/rpc';
import { etcdRegistry, etcdResolver, type ContractsWatch, type EtcdResolver, type Registry } from './index.ts';

const CONTRACT = 'f.v1.Fault';
const TTL_SECONDS = 2;
const publication = (contract: string, routes: string[] = []) => ({ contract, service: 'service.f', file: 'f/v1/f.proto', descriptorSet: Buffer.from(contract), routes });

describe('discovery', { concurrency: true }, () => {
  for (const engine of engines) {
    describe(`while things are done to ${engine.name}`, { skip: engine.skip, concurrency: false }, () => faults(engine));
    describe(`with other things in ${engine.name}`, { skip: engine.skip, concurrency: false }, () => strangeEntries(engine));
  }
});

function faults(engine: Engine): void {
  let server: EtcdProcess;
  /** A program each: two that serve, one that calls. */
  let programs: Etcd[];
  let registries: Registry[];
  let resolver: EtcdResolver;
  let resolution: Resolution;
  let contracts: ContractsWatch;
  /** Every list that was ever told. */
  const seen: string[] = [];
  let contractsSeen: string[] = [];

  const ids = (): string => (resolution.endpoints ?? []).map(({ id }) => id).join();

  before(async () => {
    server = await engine.start();
    programs = [1, 2, 3].map(() => connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 1000, pulseMs: 200 }));
    const [one, two, three] = programs as [Etcd, Etcd, Etcd];
    registries = [one, two, three].map((etcd) => etcdRegistry({ etcd, log, ttlSeconds: TTL_SECONDS }));
    await Promise.all(registries.slice(0, 2).map((registry, at) => registry.register({ contract: CONTRACT, address: `host:${at + 1}`, ext: { instance: `i${at}`, service: 'service.f' } }).ready));
    await Promise.all(registries.slice(0, 2).map((registry) => registry.publish(publication(CONTRACT, ['GET /f'])).ready));
    resolver = etcdResolver({ etcd: three, log, emptyGraceMs: 4000 });
    resolution = resolver.resolve(CONTRACT);
    await eventually('both are resolved', () => ids() === 'host:1,host:2');
    resolution.onChange((endpoints) => seen.push(endpoints.map(({ id }) => id).join()));
    contracts = registries[2]!.watchContracts((all) => contractsSeen.push([...all.keys()].join()));
    await contracts.ready;
    contractsSeen = [];
  });

  after(async () => {
    resolver?.close();
    for (const registry of registries ?? []) await registry.close();
    for (const etcd of programs ?? []) etcd.close();
    await server?.stop();
  });

  const bothAreThere = async (): Promise<boolean> => (await programs[2]!.list('talaria/default/services/').catch(() => undefined))?.entries.length === 2;
  const allKnow = (state: string) => () => programs.every((etcd) => etcd.state.get() === state);

  it('resolves what was last known while etcd is away', async () => {
    await server.kill();
    await eventually('all know', allKnow('unreachable'));
    assert.equal(ids(), 'host:1,host:2');
    await assert.rejects(registries[2]!.services());
    await server.restart();
    await eventually('all know', allKnow('reachable'));
    await eventually('both are there', bothAreThere);
    assert.deepEqual(seen, []);
  });

  it('never loses an endpoint, a contract or a route with the data of etcd', async () => {
    for (let i = 0; i < 50; i++) await programs[2]!.put('filler', String(i));
    await server.restart({ empty: true });
    await eventually('both have registered again', bothAreThere);
    await eventually('it is published again', async () => (await programs[2]!.get('talaria/default/routes/GET /f').catch(() => undefined))?.value.toString() === CONTRACT);
    assert.deepEqual([...(await registries[2]!.services()).keys()], [CONTRACT]);
    assert.deepEqual(seen, []);
    assert.deepEqual(contractsSeen, []);
  });

  it('never loses an endpoint when etcd is frozen until the leases have run out', async () => {
    server.freeze();
    await eventually('all know', allKnow('unreachable'));
    await new Promise((resolve) => setTimeout(resolve, TTL_SECONDS * 600));
    server.thaw();
    await eventually('all know', allKnow('reachable'));
    await new Promise((resolve) => setTimeout(resolve, TTL_SECONDS * 400));
    await eventually('both are there', bothAreThere);
    assert.deepEqual(seen, []);
  });

  it('puts what was said last while etcd was away, and again when its data are lost', async () => {
    const own = registries[2]!.register({ contract: 'f.v1.Changing', address: 'host:9', ext: { instance: 'i9', service: 'service.f', weight: 2 } });
    await own.ready;
    const changing = resolver.resolve('f.v1.Changing');
    const said = (): string => changing.endpoints?.map(({ ready, weight }) => `${ready} ${weight}`).join() ?? '';
    await eventually('it is resolved', () => said() === 'undefined 2');
    await server.kill();
    await eventually('all know', allKnow('unreachable'));
    await own.update({ ready: false });
    await own.update({ weight: 7 });
    assert.equal(said(), 'undefined 2');
    await server.restart();
    await eventually('what was said meanwhile is known', () => said() === 'false 7');
    for (let i = 0; i < 50; i++) await programs[0]!.put('filler', String(i));
    await server.restart({ empty: true });
    const stored = async (): Promise<string> => (await programs[0]!.get('talaria/default/services/f.v1.Changing/host:9').catch(() => undefined))?.value.toString() ?? '';
    await eventually('it is put again as it was', async () => (await stored()).includes('"ready":false'));
    await own.update({ ready: true });
    await eventually('it is ready', () => said() === 'undefined 7');
    assert.ok(!(await stored()).includes('ready'), await stored());
    await own.close();
    changing.close();
    await eventually('both are there', bothAreThere);
  });

  it('goes on telling of changes after all that, also of the last to leave', async () => {
    const third = registries[2]!.register({ contract: CONTRACT, address: 'host:3', ext: { instance: 'i3', service: 'service.f' } });
    await eventually('the third is resolved', () => ids() === 'host:1,host:2,host:3');
    await third.close();
    await eventually('it is gone', () => ids() === 'host:1,host:2');
    await Promise.all(registries.slice(0, 2).map((registry) => registry.close()));
    await eventually('all are gone', () => ids() === '');
    assert.deepEqual([...(await registries[2]!.services())], [[CONTRACT, []]], 'a contract without instances stays');
  });
}

function strangeEntries(engine: Engine): void {
  let server: EtcdProcess;
  let etcd: Etcd;
  before(async () => {
    server = await engine.start();
    etcd = connectEtcd({ endpoints: server.endpoint, log, pulseMs: 200 });
  });
  after(async () => {
    etcd?.close();
    await server?.stop();
  });

  it("stores an instance as Go's resolver reads it, and resolves what Go's endpoint manager stores", async () => {
    const registry = etcdRegistry({ etcd, log, namespace: 'go' });
    await registry.register({ contract: 'g.v1.Go', address: 'ours:1', ext: { instance: 'i', service: 's' } }).ready;
    const stored = await etcd.get('talaria/go/services/g.v1.Go/ours:1');
    assert.deepEqual(JSON.parse(stored?.value.toString() ?? ''), { Op: 0, Addr: 'ours:1', Metadata: null, Ext: { instance: 'i', service: 's', addresses: ['h2c://ours:1'] } });
    await etcd.put('talaria/go/services/g.v1.Go/theirs', '{"Op":0,"Addr":"theirs:2","Metadata":null}');
    const resolver = etcdResolver({ etcd, log, namespace: 'go' });
    const resolution = resolver.resolve('g.v1.Go');
    await eventually('both are resolved', () => resolution.endpoints?.length === 2);
    assert.deepEqual(resolution.endpoints?.[1], { id: 'theirs:2', addresses: ['h2c://theirs:2'] });
    resolver.close();
    await registry.close();
  });

  it('leaves out what cannot be read, and says so once for each', async () => {
    const lines: string[] = [];
    const loud = createLogger({ format: 'json', destination: { write: (line) => void lines.push(line) } });
    const base = 'talaria/default/services/b.v1.Bad';
    for (const [key, value] of Object.entries({ a: 'no json', b: '{}', c: '[]', d: '{"Addr":7}', e: 'null', f: '{"Op":1,"Addr":"x:1"}' })) await etcd.put(`${base}/${key}`, value);
    await etcd.put(`${base}/good`, '{"Addr":"good:1","Ext":{"weight":"heavy","addresses":[1,"x"],"zone":4}}');
    const resolver = etcdResolver({ etcd, log: loud });
    const resolution = resolver.resolve('b.v1.Bad');
    await eventually('the good one is resolved', () => resolution.endpoints?.length === 1);
    await etcd.put(`${base}/more`, '{"Addr":"more:1"}');
    await eventually('the next one too', () => resolution.endpoints?.length === 2);
    assert.deepEqual(resolution.endpoints?.[0], { id: 'good:1', addresses: ['h2c://good:1'] });
    assert.equal(lines.filter((line) => line.includes('cannot be read')).length, 6, lines.join(''));
    resolver.close();
  });

  it('holds what is deleted just after etcd was away: its lease ran out in a freeze', async () => {
    const disturb = new Set<(what: 'back') => void>();
    const disturbed: Etcd = {
      ...etcd,
      onDisturbance(listener) {
        disturb.add(listener);
        return etcd.onDisturbance(listener);
      },
    };
    const resolver = etcdResolver({ etcd: disturbed, log, emptyGraceMs: 500 });
    const key = 'talaria/default/services/h.v1.Held/held:1';
    await etcd.put(key, '{"Addr":"held:1"}');
    const resolution = resolver.resolve('h.v1.Held');
    await eventually('it is resolved', () => resolution.endpoints?.length === 1);
    const seen: number[] = [];
    resolution.onChange((endpoints) => seen.push(endpoints.length));
    for (const tell of disturb) tell('back');
    await etcd.delete(key);
    await etcd.put(key, '{"Addr":"held:1"}');
    await etcd.put('talaria/default/services/h.v1.Held/next:1', '{"Addr":"next:1"}');
    await eventually('what came later is resolved', () => seen.at(-1) === 2);
    assert.deepEqual(seen, [2]);
    await etcd.delete(key);
    await eventually('it is let go when it stays away', () => seen.at(-1) === 1);
    resolver.close();
  });

  it('lets go of an endpoint that etcd has lost when nobody puts it there again', async () => {
    const resolver = etcdResolver({ etcd, log, emptyGraceMs: 300 });
    await etcd.put('talaria/default/services/l.v1.Lost/gone:1', '{"Addr":"gone:1"}');
    const resolution = resolver.resolve('l.v1.Lost');
    await eventually('it is resolved', () => resolution.endpoints?.length === 1);
    await server.restart({ empty: true });
    await eventually('it is gone', () => resolution.endpoints?.length === 0);
    resolver.close();
  });
}
