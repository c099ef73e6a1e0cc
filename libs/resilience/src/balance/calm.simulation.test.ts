// What must not eject anybody.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Status } from '@talaria/rpc';
import { callsBetween, fakeMethod, type Behaviour, type LoadOptions } from './testing/simulation.ts';
import { failing, healthy, shareOfBad, slowBy, world, type World } from './testing/world.ts';

const SEEDS = [1, 2, 3];

function everyone(some: World, behaviour: (random: () => number) => Behaviour): void {
  for (const server of some.servers) server.behaviour = behaviour(some.random);
}

/** Runs the load and asserts that nobody was ejected. */
function calm(some: World, ms: number, how: Partial<LoadOptions> = {}): void {
  const from = some.now();
  some.run(ms, how);
  assert.equal(some.ejections(), 0, `${from} ${JSON.stringify(some.lines)}`);
}

it('an instance that answers NOT_FOUND half of the time keeps its share', () => {
  for (const seed of SEEDS) {
    const some = world(seed);
    calm(some, 3_000);
    some.bad.behaviour = failing(some.random, 0.5, Status.NOT_FOUND);
    const from = some.now();
    calm(some, 10_000);
    const share = shareOfBad(some, from, some.now());
    assert.ok(share > 0.27 && share < 0.4, `${share}`);
  }
});

for (const code of [Status.INVALID_ARGUMENT, Status.NOT_FOUND, Status.ALREADY_EXISTS, Status.PERMISSION_DENIED, Status.FAILED_PRECONDITION, Status.ABORTED, Status.OUT_OF_RANGE, Status.UNIMPLEMENTED, Status.UNAUTHENTICATED]) {
  it(`an instance that answers every call with ${Status[code]} stays`, () => {
    const some = world(1);
    some.bad.behaviour = failing(some.random, 1, code);
    calm(some, 5_000);
  });
}

for (const { name, behaviour } of [
  { name: 'everyone fails', behaviour: (random: () => number) => failing(random, 1) },
  { name: 'everyone fails half of the calls', behaviour: (random: () => number) => failing(random, 0.5) },
  { name: 'everyone fails a tenth of the calls', behaviour: (random: () => number) => failing(random, 0.1) },
  { name: 'everyone is slow by 300 ms', behaviour: (random: () => number) => slowBy(300, random) },
  { name: 'nobody answers', behaviour: (): Behaviour => () => ({}) },
  { name: 'a tenth of all answers takes 300 ms', behaviour: (random: () => number): Behaviour => () => ({ ms: random() < 0.1 ? 300 : 3 }) },
  { name: 'half of all answers takes 100 ms', behaviour: (random: () => number): Behaviour => () => ({ ms: random() < 0.5 ? 100 : 1 }) },
]) {
  for (const rate of [1, 20, 300]) {
    it(`when ${name}, all at once, nobody is out: at ${rate} calls a second`, () => {
      for (const seed of SEEDS) {
        const some = world(seed);
        calm(some, 5_000, { rate });
        everyone(some, behaviour);
        calm(some, rate === 1 ? 300_000 : 20_000, { rate, timeoutMs: 400 });
        everyone(some, healthy);
        calm(some, 10_000, { rate });
      }
    });
  }
}

it('what reads of sockets bring in one go is one event: failures of all come instance by instance', () => {
  for (const seed of SEEDS) {
    const some = world(seed);
    calm(some, 3_000);
    // A dependency of all is gone: each answers what it has, all at once, one instance after another.
    const down = some.now() + 50;
    some.servers.forEach((server, index) => {
      server.behaviour = (at) => ({ ms: Math.max(1, down - at) + index * 0.01, code: Status.UNAVAILABLE });
    });
    calm(some, 200, { rate: 3_000, attempts: 1 });
    everyone(some, (random) => failing(random, 1));
    calm(some, 5_000);
  }
});

it('a process that stands still finds all instances as they were', () => {
  for (const seed of SEEDS) {
    const some = world(seed);
    calm(some, 3_000);
    for (let times = 0; times < 5; times++) {
      some.time.at(500 + some.random() * 100, () => some.time.stall(400 + 2_000 * some.random()));
      calm(some, 3_000, { timeoutMs: 300, hedgeMs: 15 });
    }
  }
});

it('an instance that pauses for 300 ms now and then stays', () => {
  for (const seed of SEEDS) {
    const some = world(seed);
    some.bad.behaviour = (at) => {
      const since = at % 5_000;
      return { ms: since < 300 ? 300 - since + 3 : 3 + 4 * some.random() };
    };
    for (const how of [{}, { hedgeMs: 12 }, { rate: 20 }]) calm(some, 30_000, how);
  }
});

it('pauses that hit all instances, one here and one there, as on a busy machine, eject nobody', () => {
  for (const seed of SEEDS) {
    const some = world(seed);
    const pauses = some.servers.map(() => ({ until: 0, next: 0 }));
    some.servers.forEach((server, index) => {
      server.behaviour = (at) => {
        const pause = pauses[index] as (typeof pauses)[number];
        if (at >= pause.next) {
          pause.until = at + 150 * some.random();
          pause.next = at + 1_000 * some.random();
        }
        return { ms: Math.max(0, pause.until - at) + 2 + 10 * some.random() };
      };
    });
    for (const how of [{}, { hedgeMs: 30 }, { rate: 30 }, { rate: 3 }]) calm(some, 60_000, how);
  }
});

it('a method that takes seconds says nothing against the instance that has it', () => {
  for (const seed of SEEDS) {
    const some = world(seed);
    const report = fakeMethod('Report', {});
    everyone(some, () => () => ({ ms: 6_000 }));
    some.run(20_000, { rate: 2, method: report, timeoutMs: 60_000 });
    some.time.run(10_000);
    assert.equal(some.ejections(), 0);
    const [slow, ...others] = some.servers;
    assert.ok(slow);
    // One has a report to make, and nothing else to say.
    for (const server of others) server.behaviour = healthy(some.random);
    const before = callsBetween(slow, 0);
    some.run(8_000, { rate: 5, timeoutMs: 60_000, attempts: 1, method: report });
    assert.ok(callsBetween(slow, 0) > before);
    assert.equal(some.stats(slow).ejected?.reason, undefined);
  }
});

it('a caller whose own limits are too short for anybody ejects nobody', () => {
  for (const seed of SEEDS) {
    const some = world(seed);
    everyone(some, () => () => ({ ms: 50 + 20 * some.random() }));
    calm(some, 5_000);
    calm(some, 10_000, { timeoutMs: 10 });
    calm(some, 10_000, { timeoutMs: 1 });
  }
});

it('one instance alone stays, whatever it does', () => {
  const some = world(1, {}, ['a']);
  for (const behaviour of [failing(some.random, 1), () => ({}), slowBy(500, some.random)]) {
    some.bad.behaviour = behaviour;
    calm(some, 5_000);
  }
});
