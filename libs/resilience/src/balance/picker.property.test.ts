import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Status, type AttemptResult, type Candidate, type ConnectionState } from '@talaria/rpc';
import fc from 'fast-check';
import { balancedPicker } from './balanced-picker.ts';
import { failure, fakeMethod, fakeServer, load, seeded, simulation } from './testing/simulation.ts';

const METHOD = fakeMethod();
const NOBODY: ReadonlySet<Candidate> = new Set();
const STATES: readonly ConnectionState[] = ['idle', 'connecting', 'ready', 'draining', 'failed'];
const ENDS: readonly Omit<AttemptResult, 'startedAt' | 'durationMs'>[] = [
  {},
  { error: failure(Status.UNAVAILABLE) },
  { error: failure(Status.UNAVAILABLE, 'refused') },
  { error: failure(Status.UNAVAILABLE, 'never_sent') },
  { error: failure(Status.NOT_FOUND) },
  { error: failure(Status.RESOURCE_EXHAUSTED) },
  { error: failure(Status.DEADLINE_EXCEEDED), timedOut: true },
  { abandoned: true },
  { error: new Error('of this side') },
];

const instances = (most: number) => fc.integer({ min: 1, max: most });
const seed = fc.integer({ min: 1, max: 1_000_000 });

it('gives each its share, by weight, when all are equally fast', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 2, maxLength: 20 }), fc.integer({ min: 0, max: 12 }), seed, (weights, inFlight, from) => {
      const random = seeded(from);
      const time = simulation();
      const servers = weights.map((weight, index) => fakeServer(`s${index}`, { weight }));
      const picker = balancedPicker({ clock: time.clock, random });
      const list = servers.map(({ candidate }) => candidate);
      const counts = new Map<Candidate, number>();
      const open: Candidate[] = [];
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const picks = 200 * total;
      for (let pick = 0; pick < picks; pick++) {
        const candidate = picker.pick(list, { method: METHOD, tried: NOBODY, hedge: false });
        counts.set(candidate, (counts.get(candidate) ?? 0) + 1);
        open.push(candidate);
        // Nearly every machine notices differences of latency: these here are of a few percent.
        const durationMs = 5 + 0.3 * random();
        time.run(durationMs / (inFlight + 1));
        if (open.length > inFlight) picker.done?.(open.shift() as Candidate, { startedAt: time.clock.monotonic() - durationMs, durationMs }, METHOD);
      }
      servers.forEach(({ candidate }, index) => {
        const expected = (picks * (weights[index] as number)) / total;
        const got = counts.get(candidate) ?? 0;
        assert.ok(Math.abs(got / expected - 1) <= 0.1, `weights ${weights.join(' ')}, ${inFlight} in flight: #${index} got ${got} of ${expected}`);
      });
    }),
    { numRuns: 40 },
  );
});

it('lets nobody starve, however slow', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 2, maxLength: 20 }), seed, (latencies, from) => {
      const random = seeded(from);
      const time = simulation();
      const servers = latencies.map((_, index) => fakeServer(`s${index}`));
      const picker = balancedPicker({ clock: time.clock, random, ejection: { enabled: false } });
      const list = servers.map(({ candidate }) => candidate);
      const last = new Map<Candidate, number>();
      const most = 100 * servers.length;
      for (let pick = 0; pick < 4 * most; pick++) {
        const candidate = picker.pick(list, { method: METHOD, tried: NOBODY, hedge: false });
        const durationMs = latencies[list.indexOf(candidate)] as number;
        time.run(durationMs);
        picker.done?.(candidate, { startedAt: time.clock.monotonic() - durationMs, durationMs }, METHOD);
        last.set(candidate, pick);
        for (const each of list) assert.ok(pick - (last.get(each) ?? 0) <= most, `latencies ${latencies.join(' ')}: ${each.endpoint.id} got nothing in ${most} picks`);
      }
    }),
    { numRuns: 40 },
  );
});

it('picks a candidate, one that was not tried if there is one, and never has more than half out, whatever happens', () => {
  const step = fc.record({ what: fc.integer({ min: 0, max: 99 }), which: fc.nat(), end: fc.nat({ max: ENDS.length - 1 }), ms: fc.integer({ min: 0, max: 3_000 }), hedge: fc.boolean() });
  fc.assert(
    fc.property(instances(25), fc.array(fc.nat({ max: ENDS.length - 1 }), { minLength: 25, maxLength: 25 }), fc.array(step, { minLength: 50, maxLength: 400 }), seed, (count, habits, steps, from) => {
      const time = simulation();
      const servers = Array.from({ length: count }, (_, index) => fakeServer(`s${index}`, { zone: index % 3 === 0 ? 'a' : 'b' }));
      const picker = balancedPicker({ clock: time.clock, random: seeded(from), zone: 'a', clientId: 'c' });
      let list = servers.map(({ candidate }) => candidate);
      const open: { readonly candidate: Candidate; readonly startedAt: number }[] = [];
      const tried = new Set<Candidate>();
      for (const { what, which, end, ms, hedge } of steps) {
        const server = servers[which % count];
        assert.ok(server);
        if (what < 55) {
          const among = what < 5 ? list.slice(0, 1 + (which % list.length)) : list;
          const candidate = picker.pick(among, { method: METHOD, tried, hedge });
          assert.ok(among.includes(candidate));
          assert.ok(!tried.has(candidate) || among.every((each) => tried.has(each)));
          const untriedReady = among.some((each) => !tried.has(each) && each.connection.state === 'ready' && each.endpoint.ready !== false);
          if (untriedReady && among.length <= 20) assert.equal(candidate.connection.state, 'ready');
          if (what > 40) tried.add(candidate);
          open.push({ candidate, startedAt: time.clock.monotonic() });
        } else if (what < 85) {
          const ended = open.splice(which % Math.max(1, open.length), 1)[0];
          if (!ended) continue;
          // Each has a habit of how it ends.
          const habit = ENDS[what < 80 ? (habits[servers.findIndex(({ candidate }) => candidate === ended.candidate)] as number) : end];
          picker.done?.(ended.candidate, { startedAt: ended.startedAt, durationMs: time.clock.monotonic() - ended.startedAt, ...habit }, METHOD);
          tried.clear();
        } else if (what < 92) time.run(ms);
        else if (what < 94) server.set(STATES[end % STATES.length] as ConnectionState);
        else if (what < 96) server.set('ready');
        else if (what < 98) server.endpoint = { ...server.endpoint, ready: hedge, weight: end };
        else list = [...list];
        const out = list.filter((candidate) => picker.describe?.(candidate).state === 'ejected').length;
        assert.ok(out <= Math.floor(count / 2), `${out} of ${count} are out`);
      }
    }),
    { numRuns: 150 },
  );
});

it('lets those that were ejected return as soon as they answer well', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.constantFrom('fails', 'slow', 'silent'), seed, (count, fault, from) => {
      const random = seeded(from);
      const time = simulation();
      const servers = Array.from({ length: count }, (_, index) => fakeServer(`s${index}`));
      const picker = balancedPicker({ clock: time.clock, random });
      const options = { picker, simulation: time, servers, rate: 40 * count, random, timeoutMs: 600 };
      load(2_000, options);
      const bad = servers.filter((_, index) => index < count / 3);
      for (const server of bad) server.behaviour = () => (fault === 'fails' ? { ms: 3, code: Status.INTERNAL } : fault === 'slow' ? { ms: 250 } : {});
      load(8_000, options);
      for (const server of bad) {
        assert.match(picker.describe?.(server.candidate).state ?? '', /ejected|probation/, `${count} instances, ${server.endpoint.id} ${fault}`);
        server.behaviour = () => ({ ms: 5 });
      }
      load(50_000, { ...options, rate: 20 * count });
      for (const { candidate } of servers) assert.equal(picker.describe?.(candidate).state, 'ready', `${count} instances, ${fault}`);
    }),
    { numRuns: 15 },
  );
});

it('picks the same with the same random numbers and times', () => {
  fc.assert(
    fc.property(instances(40), seed, (count, from) => {
      const picks = (): readonly string[] => {
        const random = seeded(from);
        const time = simulation();
        const servers = Array.from({ length: count }, (_, index) => fakeServer(`s${index}`));
        const behaviour = seeded(from + 1);
        for (const server of servers) server.behaviour = () => ({ ms: 1 + 50 * behaviour(), ...(behaviour() < 0.2 ? { code: Status.UNAVAILABLE } : {}) });
        const picker = balancedPicker({ clock: time.clock, random, clientId: 'same' });
        load(1_000, { picker, simulation: time, servers, rate: 200 });
        return servers.map(({ calls }) => calls.join());
      };
      assert.deepEqual(picks(), picks());
    }),
    { numRuns: 10 },
  );
});
