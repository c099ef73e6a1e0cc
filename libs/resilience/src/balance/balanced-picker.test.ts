import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { balancedPicker } from './balanced-picker.ts';
import { named, picking } from './testing/picking.ts';
import { fakeMethod, fakeServer, load, seeded, simulation, type FakeServer } from './testing/simulation.ts';
import { healthy } from './testing/world.ts';

const METHOD = fakeMethod();

describe('states of connections', () => {
  it('connects to all, and goes to those that are connected', () => {
    const [idle, connecting, ready] = [fakeServer('idle', {}, 'idle'), fakeServer('connecting', {}, 'connecting'), fakeServer('ready')];
    const { picks, picker } = picking();
    const servers = [idle, connecting, ready];
    assert.deepEqual(picks(servers), { ready: 300 });
    assert.ok(idle.woken && !ready.woken);
    idle.set('ready');
    const after = picks(servers);
    assert.ok((after['idle'] ?? 0) > 100 && after['connecting'] === undefined, JSON.stringify(after));
    picker.close?.();
  });

  it('takes those that connect where nobody is connected, then those that failed, then those that go', () => {
    const [idle, failed, draining] = [fakeServer('idle', {}, 'idle'), fakeServer('failed', {}, 'failed'), fakeServer('draining', {}, 'draining')];
    const { picks } = picking();
    assert.deepEqual(picks([idle, failed, draining], 10), { idle: 10 });
    assert.deepEqual(picks([failed, draining], 10), { failed: 10 });
    assert.deepEqual(picks([draining], 10), { draining: 10 });
  });

  it('leaves one whose connection is lost with the next pick, and gives it little at first when it is back', () => {
    const servers = named('a', 'b', 'c');
    const { picks, state } = picking();
    picks(servers);
    const [, b] = servers;
    assert.ok(b);
    b.set('failed');
    assert.equal(picks(servers, 300)['b'], undefined);
    assert.equal(state(b), 'failed');
    b.set('ready');
    const back = picks(servers, 300)['b'] ?? 0;
    assert.ok(back > 5 && back < 40, `${back}`);
    assert.equal(state(b), 'slow_start');
    picks(servers, 10_000);
    assert.ok((picks(servers, 300)['b'] ?? 0) > 90);
    assert.equal(state(b), 'ready');
  });

  it('takes out one that loses its connection again and again', () => {
    const servers = named('a', 'b', 'c');
    const { picks, picker, state, time } = picking();
    picks(servers);
    const [, b] = servers;
    assert.ok(b);
    for (let loss = 0; loss < 3; loss++) {
      b.set('failed');
      b.set('ready');
    }
    assert.equal(state(b), 'ejected');
    assert.equal(picker.describe?.(b.candidate).ejected?.reason, 'connection');
    assert.equal(picks(servers, 100)['b'], undefined);
    time.run(1_000);
    picks(servers, 12_000);
    assert.equal(state(b), 'ready');
  });
});

describe('one call', () => {
  it('goes to those that it tried only when there is nobody else', () => {
    const servers = named('a', 'b', 'c');
    const [a, b, c] = servers as readonly [FakeServer, FakeServer, FakeServer];
    const { picks } = picking();
    assert.deepEqual(picks(servers, 50, [a, c]), { b: 50 });
    b.set('connecting');
    assert.deepEqual(picks(servers, 50, [a, c]), { b: 50 });
    const all = picks(servers, 60, servers);
    assert.ok(all['a'] && all['c'], JSON.stringify(all));
  });

  it('may be limited to some, each time by another list', () => {
    const servers = named(...Array.from({ length: 30 }, (_, index) => `s${index}`));
    const { picks } = picking();
    for (const server of servers) assert.deepEqual(picks([server], 2), { [server.endpoint.id]: 2 });
    for (let pick = 0; pick < 50; pick++) picks(servers, 1);
    for (const server of servers) assert.deepEqual(picks([server], 2), { [server.endpoint.id]: 2 });
  });

  it('of a stream goes to the one with the fewest streams, which are no reason to avoid it for others', () => {
    const servers = named('a', 'b');
    const [a] = servers as readonly [FakeServer];
    const { picker, picks } = picking();
    const list = servers.map(({ candidate }) => candidate);
    const watch = fakeMethod('Watch', { responseStream: true });
    const streams = Array.from({ length: 40 }, () => picker.pick(list, { method: watch, tried: new Set(), hedge: false }));
    assert.equal(streams.filter((candidate) => candidate === a.candidate).length, 20);
    for (const candidate of streams) if (candidate === a.candidate) picker.done?.(candidate, { startedAt: 0, durationMs: 5, firstResponseMs: 2 }, watch);
    const calls = picks(servers, 100);
    assert.ok((calls['b'] ?? 0) >= 45, JSON.stringify(calls));
  });

  it('goes where fewer calls are in flight', () => {
    const servers = named('a', 'b', 'c');
    const { picker } = picking();
    const list = servers.map(({ candidate }) => candidate);
    for (let pick = 0; pick < 300; pick++) picker.pick(list, { method: METHOD, tried: new Set(), hedge: false });
    for (const candidate of list) {
      const { inFlight = 0 } = picker.describe?.(candidate) ?? {};
      assert.ok(Math.abs(inFlight - 100) <= 2, `${inFlight}`);
    }
  });
});

describe('what endpoints say', () => {
  it('leaves those that are not well, and takes them again by itself; if nobody is well, all stay', () => {
    const servers = named('a', 'b', 'c');
    const [a, b, c] = servers as readonly [FakeServer, FakeServer, FakeServer];
    const { picks, state } = picking();
    b.endpoint = { ...b.endpoint, ready: false };
    assert.equal(picks(servers)['b'], undefined);
    assert.equal(state(b), 'unready');
    for (const server of [a, c]) server.endpoint = { ...server.endpoint, ready: false };
    const panic = picks(servers);
    assert.ok(['a', 'b', 'c'].every((id) => (panic[id] ?? 0) > 80), JSON.stringify(panic));
    b.endpoint = { ...b.endpoint, ready: true };
    picks(servers, 60);
    assert.deepEqual(picks(servers), { b: 300 });
  });

  it('gives weight 0 nothing, unless there is nobody else', () => {
    const servers = [fakeServer('zero', { weight: 0 }), fakeServer('one')];
    const { picks } = picking();
    assert.deepEqual(picks(servers), { one: 300 });
    servers[1]?.set('failed');
    assert.deepEqual(picks(servers), { zero: 300 });
  });

  it('starts slowly with an instance that has just started, if others are there', () => {
    const servers = [fakeServer('a'), fakeServer('b')];
    const { picks, time, state } = picking();
    picks(servers);
    const young = fakeServer('young', { startedAt: new Date(time.clock.now() - 100).toISOString() });
    const old = fakeServer('old', { startedAt: new Date(time.clock.now() - 3_600_000).toISOString() });
    const all = [...servers, young, old];
    const first = picks(all, 1_000);
    assert.ok((first['young'] ?? 0) > 20 && (first['young'] ?? 0) < 90, JSON.stringify(first));
    assert.ok((first['old'] ?? 0) > 250, JSON.stringify(first));
    assert.equal(state(young), 'slow_start');
    picks(all, 10_000);
    assert.ok((picks(all, 1_000)['young'] ?? 0) > 230);
  });

  it('starts at once where all are young', () => {
    const { picks, time } = picking();
    const servers = ['a', 'b', 'c'].map((id, index) => fakeServer(id, { startedAt: new Date(time.clock.now() - 1_500 * index).toISOString() }));
    for (const count of Object.values(picks(servers))) assert.ok(count > 90);
  });
});

describe('zones', () => {
  const inZone = (zone: string, ...ids: readonly string[]): readonly FakeServer[] => ids.map((id) => fakeServer(id, { zone }));

  it('stays in its own zone as long as that has its fair share', () => {
    const servers = [...inZone('a', 'a1', 'a2'), ...inZone('b', 'b1', 'b2')];
    const { picks } = picking({ zone: 'a' });
    assert.deepEqual(Object.keys(picks(servers)).sort(), ['a1', 'a2']);
  });

  it('sends on what its own zone cannot take, and everything when nobody is left there', () => {
    const own = inZone('a', 'a1', 'a2');
    const servers = [...own, ...inZone('b', 'b1', 'b2', 'b3', 'b4')];
    const { picks } = picking({ zone: 'a' });
    const spread = picks(servers, 3_000);
    // Two of six instances, for half of the clients: two thirds of their calls.
    assert.ok(Math.abs((spread['a1'] ?? 0) - 1_000) < 100 && Math.abs((spread['b1'] ?? 0) - 250) < 50, JSON.stringify(spread));
    own[0]?.set('failed');
    const less = picks(servers, 3_000);
    assert.ok(Math.abs((less['a2'] ?? 0) - 1_200) < 120, JSON.stringify(less));
    own[1]?.set('failed');
    const none = picks(servers, 300);
    assert.ok(none['a1'] === undefined && none['a2'] === undefined);
  });

  it('goes anywhere without a zone of its own', () => {
    const servers = [...inZone('a', 'a1'), ...inZone('b', 'b1')];
    for (const zone of [undefined, 'c']) assert.ok((picking({ zone }).picks(servers)['b1'] ?? 0) > 140);
  });
});

describe('subsets', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `10.0.0.${index}:4000`);
  const usedBy = (clientId: string, servers: readonly FakeServer[]): ReadonlySet<string> => new Set(Object.keys(picking({ clientId }).picks(servers, 400)));

  it('are spread over many instances by many clients, and move little when one is added', () => {
    const servers = named(...ids);
    const more = [...servers, fakeServer('10.0.0.100:4000')];
    const counts = new Map<string, number>();
    let moved = 0;
    for (let client = 0; client < 100; client++) {
      const subset = usedBy(`inst_${client}`, servers);
      assert.equal(subset.size, 20);
      for (const id of subset) counts.set(id, (counts.get(id) ?? 0) + 1);
      const after = usedBy(`inst_${client}`, more);
      moved += [...after].filter((id) => !subset.has(id)).length;
    }
    // 20 clients each on average, and about as chance would have it (4 standard deviations of 4).
    for (const id of ids) assert.ok((counts.get(id) ?? 0) >= 4 && (counts.get(id) ?? 0) <= 36, `${id} has ${counts.get(id)} clients`);
    assert.ok(moved <= 100 * 0.2 * 2, `${moved} of 2000 moved`);
  });

  it('wake no more than they need, and replace those that fail', () => {
    const servers = ids.map((id) => fakeServer(id, {}, 'idle'));
    const { picks, state } = picking();
    picks(servers, 1);
    const woken = servers.filter((server) => server.woken);
    assert.equal(woken.length, 20);
    for (const server of woken) server.set('ready');
    picks(servers, 1);
    const [gone] = woken;
    assert.ok(gone);
    gone.set('failed');
    picks(servers, 1);
    const added = servers.filter((server) => server.woken && !woken.includes(server));
    assert.equal(added.length, 1);
    added[0]?.set('ready');
    assert.equal(Object.keys(picks(servers, 400)).length, 20);
    gone.set('ready');
    assert.ok((picks(servers, 20_000)[gone.endpoint.id] ?? 0) > 0, state(gone));
  });
});

it('restarts of all, one after another, send nobody more than the others can take', () => {
  const time = simulation();
  const random = seeded(11);
  const picker = balancedPicker({ clock: time.clock, random });
  let servers = named('a', 'b', 'c');
  for (const server of servers) server.behaviour = healthy(random);
  const run = (ms: number): ReturnType<typeof load> => load(ms, { picker, simulation: time, servers, rate: 300, random });
  run(2_000);
  let failed = 0;
  for (let index = 0; index < 3; index++) {
    const old = servers[index] as FakeServer;
    old.set('draining');
    failed += run(1_000).failed;
    // The same address, another process.
    const next = fakeServer(old.endpoint.id, { instance: `new-${index}`, startedAt: new Date(time.clock.now()).toISOString() });
    next.behaviour = healthy(random);
    servers = servers.map((server) => (server === old ? next : server));
    failed += run(500).failed;
    const firstCalls = next.calls.length;
    assert.ok(firstCalls > 0 && firstCalls < 40, `${firstCalls} calls in its first half second`);
    failed += run(12_000).failed;
    assert.equal(picker.describe?.(next.candidate).state, 'ready');
  }
  assert.equal(failed, 0);
});
