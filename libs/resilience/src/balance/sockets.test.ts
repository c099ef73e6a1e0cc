// What simulations show, once more with servers and sockets: states only, no times.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ServiceError } from '@talaria/errors';
import type { Connector, EndpointStats } from '@talaria/rpc';
import { definition, KINDS, never, scene, type Scene } from '../calls/testing/servers.ts';
import { balancedPicker } from './balanced-picker.ts';

const LIMIT_MS = 60_000;

type Handler = (signal: AbortSignal) => Promise<string> | string;

interface Three {
  readonly connector: Connector;
  readonly counts: number[];
  /** How the second one answers from now on. */
  second: Handler;
  stop(which: number): Promise<void>;
  stats(which: number): EndpointStats | undefined;
  /** Makes calls until something is so; answers how many failed. */
  callUntil(isSo: () => boolean): Promise<number>;
}

async function three(place: Scene): Promise<Three> {
  const counts = [0, 0, 0];
  const made: Three = {
    counts,
    second: () => 'ok',
    connector: undefined as unknown as Connector,
    stop: async (which) => servers[which]?.server.drain(0),
    stats: (which) => made.connector.topology()[0]?.endpoints.find(({ endpoint }) => endpoint.addresses[0] === servers[which]?.at)?.stats,
    async callUntil(isSo) {
      const client = made.connector.client(definition);
      const end = performance.now() + LIMIT_MS;
      let failed = 0;
      const open = new Set<Promise<void>>();
      while (!isSo()) {
        assert.ok(performance.now() < end, `It did not become so: ${JSON.stringify([0, 1, 2].map(made.stats))}`);
        // About as many as a client of medium size makes, whether the ones before are answered or not.
        for (const request of ['a', 'b', 'c']) {
          const call = client.get(request, { timeoutMs: 20_000 }).then(
            () => {},
            () => {
              failed++;
            },
          );
          open.add(call);
          void call.then(() => open.delete(call));
        }
        await pause(10);
      }
      return failed;
    },
  };
  const answer = (which: number) => (_: string, signal: AbortSignal) => {
    counts[which] = (counts[which] ?? 0) + 1;
    return which === 1 ? made.second(signal) : 'ok';
  };
  const servers = await Promise.all([0, 1, 2].map((which) => place.serve(answer(which))));
  const connector = place.connect({ 'test.Test': servers.map(({ at }) => at) }, undefined, { picker: (contract) => balancedPicker({ contract }) });
  return Object.assign(made, { connector });
}

for (const { name, transport, address } of KINDS) {
  describe(`${name}: three servers`, { concurrency: true }, () => {
    const places: Scene[] = [];
    const start = async (): Promise<Three> => {
      const place = scene(transport(), address);
      places.push(place);
      const all = await three(place);
      await all.callUntil(() => all.counts.every((count) => count >= 10));
      return all;
    };
    after(async () => Promise.all(places.map((place) => place.close())));

    const isOut = (all: Three): boolean => all.stats(1)?.state === 'ejected';
    const faults: readonly { readonly what: string; readonly handler: Handler }[] = [
      {
        what: 'fails',
        handler: () => {
          throw new ServiceError('unavailable.test', 'not now');
        },
      },
      { what: 'is slow', handler: async () => pause(400, 'ok') },
      { what: 'says nothing', handler: (signal) => never(signal) },
    ];
    for (const { what, handler } of faults) {
      it(`one that ${what} is out, and returns by itself`, async () => {
        const all = await start();
        all.second = handler;
        await all.callUntil(() => isOut(all));
        all.second = () => 'ok';
        const [, before = 0] = all.counts;
        await all.callUntil(() => !isOut(all) && (all.counts[1] ?? 0) >= before + 20);
        assert.ok((all.stats(0)?.ejections ?? 0) + (all.stats(2)?.ejections ?? 0) <= 2);
      });
    }

    it('one that answers NOT_FOUND stays', async () => {
      const all = await start();
      all.second = () => {
        throw new ServiceError('not_found.test', 'not there');
      };
      const [, before = 0] = all.counts;
      await all.callUntil(() => (all.counts[1] ?? 0) >= before + 100);
      assert.equal(all.stats(1)?.ejections, 0);
    });

    it('no call fails when one stops', async () => {
      const all = await start();
      await all.stop(1);
      const [, at = 0] = all.counts;
      const [first = 0] = all.counts;
      assert.equal(await all.callUntil(() => (all.counts[0] ?? 0) >= first + 50), 0);
      assert.equal(all.counts[1], at);
    });
  });
}
