import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { hasCode } from '@talaria/errors';
import { eventually } from '@talaria/etcd/testing';
import type { Endpoint, Resolver } from '@talaria/rpc';
import { descriptorHash, type ContractInfo, type PublishOptions, type Registry, type RegisterOptions } from '../index.ts';

/** One place that registries and resolvers of several programs meet in. */
export interface RegistryWorld {
  /** As another program would open it; the suite closes it. May be the same one each time. */
  registry(): Registry;
  resolver(): Resolver;
  stop(): Promise<void>;
}

const instance = (contract: string, address: string, more: Partial<RegisterOptions['ext']> = {}): RegisterOptions => ({
  contract,
  address,
  ext: { instance: `inst_${address}`, service: 'service.test', version: '1.2.3', ...more },
});

const publication = (contract: string, more: Partial<PublishOptions> = {}): PublishOptions => ({
  contract,
  service: 'service.test',
  file: 'test/v1/test.proto',
  descriptorSet: Buffer.from(`descriptor of ${contract}`),
  routes: [],
  ...more,
});

/** What every registry, with the resolver that goes with it, must do. `skip`: why it cannot be tested here. */
export function registrySuite(name: string, skip: string | false, open: () => Promise<RegistryWorld>): void {
  describe(`the registry ${name}`, { skip }, () => {
    let world: RegistryWorld;
    let registry: Registry;
    let other: Registry;
    let resolver: Resolver;
    const closings: (() => unknown)[] = [];

    before(async () => {
      world = await open();
      registry = world.registry();
      other = world.registry();
      resolver = world.resolver();
    });
    afterEach(async () => {
      for (const close of closings.splice(0)) await close();
    });
    after(async () => {
      await registry?.close();
      await other?.close();
      await world?.stop();
    });

    const resolve = (contract: string): ReturnType<Resolver['resolve']> => {
      const resolution = resolver.resolve(contract);
      closings.push(() => resolution.close());
      return resolution;
    };
    const register = async (options: RegisterOptions): ReturnType<() => Promise<ReturnType<Registry['register']>>> => {
      const registration = registry.register(options);
      closings.push(() => registration.close());
      await registration.ready;
      return registration;
    };
    const ids = (contract: ReturnType<Resolver['resolve']>): string => (contract.endpoints ?? []).map(({ id }) => id).join();

    it('answers a contract that nobody serves with no endpoints', async () => {
      const resolution = resolve('a.v1.Nobody');
      await eventually('there is an answer', () => resolution.endpoints !== undefined);
      assert.deepEqual(resolution.endpoints, []);
    });

    it('resolves an instance with all that it says of itself', async () => {
      await register(instance('a.v1.Full', '10.0.0.1:4000', { zone: 'a', weight: 3, addresses: ['h2c://10.0.0.1:4000', 'inproc://full'] }));
      const resolution = resolve('a.v1.Full');
      await eventually('it is resolved', () => ids(resolution) !== '');
      const [endpoint] = resolution.endpoints ?? [];
      const { id, addresses, instance: inst, service, version, zone, weight } = endpoint ?? {};
      assert.deepEqual(
        { id, addresses, inst, service, version, zone, weight },
        { id: '10.0.0.1:4000', addresses: ['h2c://10.0.0.1:4000', 'inproc://full'], inst: 'inst_10.0.0.1:4000', service: 'service.test', version: '1.2.3', zone: 'a', weight: 3 },
      );
    });

    it('gives an instance without addresses that of its host and port', async () => {
      await register(instance('a.v1.Plain', '[::1]:4000'));
      const resolution = resolve('a.v1.Plain');
      await eventually('it is resolved', () => ids(resolution) !== '');
      assert.deepEqual(resolution.endpoints?.[0]?.addresses, ['h2c://[::1]:4000']);
    });

    it('tells of instances that come and go, also of the last one', async () => {
      const resolution = resolve('a.v1.Busy');
      const seen: string[] = [];
      resolution.onChange((endpoints) => seen.push(endpoints.map(({ id }) => id).join()));
      const one = await register(instance('a.v1.Busy', 'one:1'));
      await eventually('the first is there', () => ids(resolution) === 'one:1');
      const two = await register(instance('a.v1.Busy', 'two:2'));
      await eventually('both are there', () => ids(resolution) === 'one:1,two:2');
      await one.close();
      await eventually('the first is gone', () => ids(resolution) === 'two:2');
      await two.close();
      await eventually('both are gone', () => resolution.endpoints?.length === 0);
      assert.deepEqual(seen.filter((each, at) => at > 0 || each !== ''), ['one:1', 'one:1,two:2', 'two:2', '']);
      assert.equal((await registry.services()).get('a.v1.Busy'), undefined);
    });

    it('tells at once of an instance that is not ready, or has another weight, and of its return', async () => {
      const started = '2026-01-02T03:04:05.678Z';
      const registration = await register(instance('a.v1.Unready', 'unready:1', { weight: 3, startedAt: started }));
      await register(instance('a.v1.Unready', 'well:2', { ready: true }));
      const resolution = resolve('a.v1.Unready');
      const first = (): Pick<Endpoint, 'ready' | 'weight' | 'startedAt' | 'version'> => {
        const { ready, weight, startedAt, version } = resolution.endpoints?.[0] ?? {};
        return { ready, weight, startedAt, version };
      };
      await eventually('both are there', () => ids(resolution) === 'unready:1,well:2');
      assert.deepEqual(first(), { ready: undefined, weight: 3, startedAt: started, version: '1.2.3' });
      assert.equal(resolution.endpoints?.[1]?.ready, undefined, 'what is ready says nothing');
      await registration.update({ ready: false });
      await eventually('it is not ready', () => first().ready === false);
      assert.deepEqual(first(), { ready: false, weight: 3, startedAt: started, version: '1.2.3' });
      assert.equal((await other.services()).get('a.v1.Unready')?.[0]?.ready, false);
      await registration.update({ weight: 0 });
      await eventually('it has no weight', () => first().weight === 0);
      assert.equal(first().ready, false, 'what is left out stays');
      let told = 0;
      resolution.onChange(() => told++);
      await Promise.all([registration.update({ ready: true }), registration.update({ ready: false }), registration.update({ ready: true, weight: 5 })]);
      await eventually('the last word holds', () => first().ready === undefined && first().weight === 5);
      await registration.close();
      await eventually('it is gone', () => ids(resolution) === 'well:2');
      const toldBefore = told;
      await registration.update({ ready: false });
      await register(instance('a.v1.Unready', 'after:3'));
      await eventually('what comes after is there', () => ids(resolution) === 'after:3,well:2');
      assert.equal(told, toldBefore + 1, 'a closed registration says nothing more');
    });

    it('registers again what was closed', async () => {
      const first = await register(instance('a.v1.Again', 'again:1'));
      await first.close();
      await register(instance('a.v1.Again', 'again:1', { version: '2' }));
      await first.close();
      const resolution = resolve('a.v1.Again');
      await eventually('the second is there', () => resolution.endpoints?.[0]?.version === '2');
    });

    it('keeps contracts apart whose names start alike', async () => {
      await register(instance('a.v1.Foo', 'foo:1'));
      await register(instance('a.v1.FooBar', 'foobar:1'));
      const resolution = resolve('a.v1.Foo');
      await eventually('there is an answer', () => ids(resolution) !== '');
      assert.equal(ids(resolution), 'foo:1');
    });

    it('shares a contract between all who resolve it, until the last one closes', async () => {
      const [one, two] = [resolve('a.v1.Shared'), resolve('a.v1.Shared')];
      let calls = 0;
      const count = (): void => void calls++;
      one.onChange(count);
      const off = two.onChange(count);
      off();
      one.close();
      one.close();
      await register(instance('a.v1.Shared', 'shared:1'));
      await eventually('the other one still hears', () => ids(two) === 'shared:1');
      assert.equal(calls, 0, 'neither the closed nor the removed listener');
    });

    it('refuses what is no contract, no address, no route, and what is registered already', async () => {
      assert.throws(() => registry.register(instance('a/v1', 'host:1')), /no contract/);
      for (const address of ['host', 'host:', 'ho/st:1', 'h2c://host:1', '', '::1:40', 'host:123456']) assert.throws(() => registry.register(instance('a.v1.A', address)), /no address/, address);
      assert.throws(() => registry.publish(publication('a.v1.A', { routes: ['/a'] })), /no route/);
      await register(instance('a.v1.Twice', 'twice:1'));
      assert.throws(() => registry.register(instance('a.v1.Twice', 'twice:1')), /already/);
    });

    it('publishes contracts with their descriptors', async () => {
      let known: ReadonlyMap<string, ContractInfo> = new Map();
      const watch = other.watchContracts((contracts) => (known = contracts));
      closings.push(() => watch.close());
      await watch.ready;
      const options = publication('p.v1.Published');
      await registry.publish(options).ready;
      await eventually('the watch knows', () => known.has('p.v1.Published'));
      const info = known.get('p.v1.Published');
      assert.deepEqual(
        { ...info, descriptorSet: Buffer.from(info?.descriptorSet ?? []).toString() },
        { contract: 'p.v1.Published', service: 'service.test', file: 'test/v1/test.proto', descriptor: descriptorHash(options.descriptorSet), descriptorSet: 'descriptor of p.v1.Published' },
      );
      await other.publish({ ...options, descriptorSet: Buffer.from('changed') }).ready;
      await eventually('the watch knows the change', () => Buffer.from(known.get('p.v1.Published')?.descriptorSet ?? []).toString() === 'changed');
      assert.equal(watch.contracts?.get('p.v1.Published')?.descriptor, descriptorHash(Buffer.from('changed')));
      await eventually('it is listed without instances', async () => (await other.services()).get('p.v1.Published')?.length === 0);
    });

    const refused = async (options: PublishOptions, code: string, ...words: string[]): Promise<void> => {
      await assert.rejects(other.publish(options).ready, (error: Error) => {
        assert.ok(hasCode(error, code), String(error));
        for (const word of words) assert.ok(error.message.includes(word), `${error.message} should name ${word}`);
        return true;
      });
    };

    it('refuses a second owner of a contract', async () => {
      await registry.publish(publication('o.v1.Owned')).ready;
      await refused(publication('o.v1.Owned', { service: 'service.other' }), 'conflict.contract', 'service.test', 'service.other', 'o.v1.Owned');
    });

    it('refuses a contract whose name starts with that of another, and the reverse', async () => {
      await registry.publish(publication('n.v1.Name')).ready;
      await refused(publication('n.v1.NameLonger', { service: 'service.other' }), 'conflict.contract_name', 'service.test', 'service.other', 'Rename');
      await refused(publication('n.v1.Na'), 'conflict.contract_name');
    });

    it('refuses a route of another contract, also with other names of variables, until it is given up', async () => {
      await registry.publish(publication('r.v1.One', { routes: ['GET /things/{id}', 'POST /things'] })).ready;
      await refused(publication('r.v1.Two', { service: 'service.other', routes: ['POST /things'] }), 'conflict.route', 'POST /things', 'r.v1.One', 'service.test', 'service.other');
      await refused(publication('r.v1.Two', { routes: ['GET /things/{thing_id}'] }), 'conflict.route');
      await other.publish(publication('r.v1.Three', { routes: ['GET /things/{id}/parts', 'DELETE /things', '* /things', 'M-SEARCH /things'] })).ready;
      await registry.publish(publication('r.v1.One', { routes: ['GET /things/{id}'] })).ready;
      await other.publish(publication('r.v1.Two', { routes: ['POST /things'] })).ready;
    });

    it('lets only one of those win that publish the same at once', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 6 }, (_, i) => [
          registry.publish(publication(`c.v1.Route${i}`, { service: `service.c${i}`, routes: ['GET /contended'] })).ready,
          other.publish(publication('c.v1.Owned', { service: `service.c${i}` })).ready,
        ]).flat(),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2, JSON.stringify(outcomes));
    });
  });
}
