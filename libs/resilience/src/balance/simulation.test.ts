import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Status } from '@talaria/rpc';
import { balancedPicker } from './balanced-picker.ts';
import type { BalanceOptions } from './options.ts';
import { callsBetween, fakeServer, load, seeded, simulation, type Behaviour, type FakeServer, type LoadOptions, type Simulation } from './testing/simulation.ts';

const SERVERS = ['a', 'b', 'c'];

interface World {
  readonly servers: readonly FakeServer[];
  readonly bad: FakeServer;
  readonly time: Simulation;
  readonly random: () => number;
  now(): number;
  state(server?: FakeServer): string | undefined;
  reason(): string | undefined;
  run(ms: number, options?: Partial<LoadOptions>): ReturnType<typeof load>;
}

/** Three servers that answer in 2 to 8 ms, and now and then in 40. */
function world(seed: number, options: BalanceOptions = {}, names: readonly string[] = SERVERS): World {
  const random = seeded(seed);
  const time = simulation();
  const servers = names.map((name) => fakeServer(name));
  for (const server of servers) server.behaviour = healthy(random);
  const picker = balancedPicker({ clock: time.clock, random, clientId: 'client', ...options });
  const bad = servers[1] ?? (servers[0] as FakeServer);
  return {
    ...{ servers, bad, time, random },
    now: () => time.clock.monotonic(),
    state: (server = bad) => picker.describe?.(server.candidate).state,
    reason: () => picker.describe?.(bad.candidate).ejected?.reason,
    run: (ms, how = {}) => load(ms, { picker, simulation: time, servers, rate: 300, random, ...how }),
  };
}

function healthy(random: () => number): Behaviour {
  return () => ({ ms: random() < 0.01 ? 40 : 2 + 6 * random() });
}

function failing(random: () => number, share: number, code = Status.UNAVAILABLE): Behaviour {
  return () => ({ ms: 2 + 6 * random(), ...(random() < share ? { code } : {}) });
}

const slowBy = (by: number, random: () => number): Behaviour => () => ({ ms: by + 2 + 6 * random() });

/** The share of attempts that went to the bad one within a time. */
function shareOfBad({ servers, bad }: World, from: number, to: number): number {
  const all = servers.reduce((sum, server) => sum + callsBetween(server, from, to), 0);
  return callsBetween(bad, from, to) / all;
}

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
        for (const server of some.servers) assert.equal(some.state(server), 'ready', `seed ${seed}`);
        some.bad.behaviour = fault(some.random);
        const from = some.now();
        const during = some.run(10_000, { ...how, rate });
        const share = shareOfBad(some, from + withinMs, from + 10_000);
        assert.ok(share < 0.05, `seed ${seed}: ${share} of the attempts went there`);
        assert.match(some.state() ?? '', /ejected|probation/, `seed ${seed}`);
        assert.equal(during.failed, 0, `seed ${seed}`);
        some.bad.behaviour = healthy(some.random);
        some.run(45_000, { ...how, rate });
        assert.equal(some.state(), 'ready', `seed ${seed}: it returned`);
        const share2 = shareOfBad(some, some.now() - 6_000, some.now());
        assert.ok(share2 > 0.25 && share2 < 0.42, `seed ${seed}: ${share2} of the attempts go there again`);
      }
    });
  }
}
