import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { hasCode } from '@talaria/errors';
import { KINDS, definition, scene } from './testing/servers.ts';

async function* stream(...messages: string[]): AsyncGenerator<string, void, undefined> {
  yield* messages;
}

const all = async (source: AsyncIterable<string>): Promise<string> => {
  let got = '';
  for await (const one of source) got += one;
  return got;
};

for (const { name, transport, address, absent } of KINDS) {
  describe(`${name}: calls that were never sent, of a method that must not be repeated`, () => {
    const { serve, connect, close } = scene(transport(), address);
    afterEach(close);
    after(close);
    const clientOf = (addresses: readonly string[], attempts = 3) => connect({ 'test.Test': addresses }, { '*': { retry: { attempts } } }).client(definition);

    it('go to another instance, streams too, and no call fails', async () => {
      const { at } = await serve(() => '!');
      for (let time = 0; time < 5; time++) {
        assert.equal(await clientOf([...absent.slice(0, 2), at]).put('a'), '!');
        assert.equal(await all(clientOf([...absent.slice(0, 2), at]).both(stream('a', 'b'))), 'a!b!');
      }
    });

    it('cost no budget', async () => {
      const { at } = await serve(() => '!');
      const client = connect({ 'test.Test': [absent[0] as string, at] }, { '*': { budget: { ratio: 0, per_second: 0 } } }).client(definition);
      for (let time = 0; time < 5; time++) assert.equal(await client.put('a'), '!');
    });

    it('go on from an instance that stops', async () => {
      const one = await serve(() => '1');
      const two = await serve(() => '2');
      const client = clientOf([one.at, two.at]);
      const seen = new Set<string>();
      for (let call = 0; call < 10; call++) seen.add(await client.put('a'));
      assert.deepEqual([...seen].sort(), ['1', '2']);
      const stopping = one.server.drain(1_000);
      for (let call = 0; call < 10; call++) assert.equal(await client.put('a'), '2');
      await stopping;
      for (let call = 0; call < 10; call++) assert.equal(await client.put('a'), '2');
    });

    it('are unavailable when every instance was tried, and after the greatest number of attempts', async () => {
      await assert.rejects(clientOf(absent).put('a'), (error) => hasCode(error, 'unavailable'));
      await assert.rejects(all(clientOf(absent).both(stream('a'))), (error) => hasCode(error, 'unavailable'));
      const { at } = await serve(() => '!');
      const outcomes = new Set<string>();
      for (let time = 0; time < 40; time++) {
        await clientOf([absent[0] as string, at], 1).put('a').then(
          () => outcomes.add('answered'),
          () => outcomes.add('failed'),
        );
      }
      assert.ok(outcomes.has('failed'), 'one attempt is one attempt');
    });

    it('are not tried again when their own side gave up', async () => {
      const client = clientOf(absent);
      await assert.rejects(client.put('a', { signal: AbortSignal.abort() }), (error) => hasCode(error, 'cancelled'));
      await assert.rejects(client.put('a', { timeoutMs: 0 }), (error) => hasCode(error, 'timeout'));
    });

    it('do not open a breaker, so that who comes back is called at once', async () => {
      const client = clientOf(absent);
      for (let call = 0; call < 30; call++) await assert.rejects(client.put('a'), (error) => hasCode(error, 'unavailable') && !hasCode(error, 'unavailable.circuit_open'));
    });
  });
}
