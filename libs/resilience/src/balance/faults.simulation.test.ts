import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Status } from '@talaria/rpc';
import type { Behaviour, LoadOptions } from './testing/simulation.ts';
import { failing, healthy, shareOfBad, slowBy, world } from './testing/world.ts';

const FAULTS: readonly { readonly name: string; readonly fault: (random: () => number) => Behaviour; readonly withinMs: number; readonly how?: Partial<LoadOptions> }[] = [
  { name: 'fails every call', fault: (random) => failing(random, 1), withinMs: 1_500 },
  { name: 'fails half of its calls', fault: (random) => failing(random, 0.5), withinMs: 1_500 },
  { name: 'fails half of its calls with UNKNOWN', fault: (random) => failing(random, 0.5, Status.UNKNOWN), withinMs: 1_500 },
  { name: 'is slow by 200 ms', fault: (random) => slowBy(200, random), withinMs: 3_000 },
  { name: 'is slow by 200 ms, and calls are hedged', fault: (random) => slowBy(200, random), withinMs: 3_000, how: { hedgeMs: 12 } },
  { name: 'says nothing', fault: () => () => ({}), withinMs: 1_500 },
  { name: 'says nothing, and calls are hedged', fault: () => () => ({}), withinMs: 1_500, how: { hedgeMs: 12 } },
  { name: 'says nothing, and attempts are given up after 300 ms', fault: () => () => ({}), withinMs: 1_500, how: { timeoutMs: 300 } },
];

for (const rate of [100, 300]) {
  for (const { name, fault, withinMs, how = {} } of FAULTS) {
    it(`an instance that ${name} is out within ${withinMs} ms at ${rate} calls a second, and returns when it is well`, () => {
      for (const seed of [1, 2, 3]) {
        const some = world(seed);
        some.run(5_000, { ...how, rate });
        for (const server of some.servers) assert.equal(some.stats(server).state, 'ready', `seed ${seed}`);
        some.bad.behaviour = fault(some.random);
        const from = some.now();
        const during = some.run(10_000, { ...how, rate });
        const share = shareOfBad(some, from + withinMs, from + 10_000);
        assert.ok(share < 0.05, `seed ${seed}: ${share} of the attempts went there`);
        assert.match(some.stats().state, /ejected|probation/, `seed ${seed}`);
        assert.equal(during.failed, 0, `seed ${seed}`);
        some.bad.behaviour = healthy(some.random);
        some.run(45_000, { ...how, rate });
        assert.equal(some.stats().state, 'ready', `seed ${seed}: it returned`);
        const share2 = shareOfBad(some, some.now() - 6_000, some.now());
        assert.ok(share2 > 0.25 && share2 < 0.42, `seed ${seed}: ${share2} of the attempts go there again`);
      }
    });
  }
}
