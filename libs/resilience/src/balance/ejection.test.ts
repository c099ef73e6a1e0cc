import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutableSetting } from '@talaria/base';
import { Metadata, Status, TransportError } from '@talaria/rpc';
import type { EjectionOptions } from './options.ts';
import { named, picking } from './testing/picking.ts';
import { fakeMethod, type FakeServer } from './testing/simulation.ts';
import { failing, healthy, slowBy, world } from './testing/world.ts';

const METHOD = fakeMethod();

describe('ejection', () => {
  it('is told of in the log, with reasons, and in what is described', () => {
    const some = world(3, { ejection: { baseMs: 5_000 } });
    some.run(3_000);
    some.bad.behaviour = failing(some.random, 1);
    some.run(1_000);
    const { ejected, ejections, failures, weight } = some.stats();
    assert.ok(ejected?.reason === 'consecutive_failures' || ejected?.reason === 'success_rate');
    assert.ok(ejected.forMs <= 5_000 && ejections === 1 && failures >= 5 && weight === 0);
    const line = some.lines[0];
    assert.equal(line?.['message'], 'Instance ejected');
    assert.equal(line['endpoint'], 'b');
    assert.ok((line['failingPercent'] as number) > 20);
  });

  it('writes few lines, however often somebody goes and returns', () => {
    const some = world(3);
    for (let times = 0; times < 60; times++) {
      some.bad.behaviour = failing(some.random, times % 2);
      some.run(3_000);
    }
    assert.ok(some.stats().ejections >= 10);
    assert.ok(some.lines.length <= 10 + (60 * 4_000) / 5_000);
  });

  it('lasts longer each time', () => {
    const some = world(4);
    some.run(3_000);
    some.bad.behaviour = slowBy(200, some.random);
    some.run(40_000);
    const times = some.lines.filter(({ message }) => message === 'Instance ejected').map(({ forMs }) => forMs);
    assert.deepEqual(times.slice(0, 5), [1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  it('is given up for one that is worse', () => {
    const some = world(5, { ejection: { baseMs: 5_000 } });
    const [first, second] = some.servers as readonly [FakeServer, FakeServer, FakeServer];
    some.run(3_000);
    first.behaviour = slowBy(200, some.random);
    some.run(3_000);
    assert.match(some.stats(first).state, /ejected|probation/);
    second.behaviour = failing(some.random, 1);
    some.run(500);
    assert.equal(some.stats(second).state, 'ejected');
  });

  it('can be switched off and on, live, and its limits changed', () => {
    const ejection = mutableSetting<EjectionOptions>({ enabled: false });
    const some = world(6, { ejection });
    some.bad.behaviour = failing(some.random, 1);
    some.run(5_000);
    assert.equal(some.ejections(), 0);
    ejection.set({ baseMs: 7_000 });
    some.run(1_000);
    assert.equal(some.lines[0]?.['forMs'], 7_000);
    ejection.set({ enabled: false });
    some.run(100);
    assert.equal(some.stats().state, 'ready');
  });

  it('counts RESOURCE_EXHAUSTED only without pushback', () => {
    const details = Buffer.concat([Buffer.from('\x08\x08\x1a\x00', 'latin1'), Buffer.from('type.googleapis.com/google.rpc.RetryInfo')]);
    for (const { trailer, ejected } of [
      { trailer: Metadata(), ejected: true },
      { trailer: Metadata({ 'grpc-status-details-bin': details }), ejected: false },
    ]) {
      const { picker, time, state } = picking();
      const servers = named('a', 'b', 'c');
      const list = servers.map(({ candidate }) => candidate);
      const error = new TransportError('/test.Test/Get', Status.RESOURCE_EXHAUSTED, 'too much', 'maybe_executed', trailer);
      for (let call = 0; call < 600; call++) {
        const candidate = picker.pick(list, { method: METHOD, tried: new Set(), hedge: false });
        time.run(2);
        picker.done?.(candidate, { startedAt: 0, durationMs: 2, ...(candidate === list[1] ? { error } : {}) }, METHOD);
      }
      assert.equal(state(servers[1] as FakeServer) === 'ejected', ejected);
    }
  });

  it('does not go by what calls to others hops say when all say it, and finds the one that alone says it', () => {
    const some = world(8);
    some.run(3_000);
    for (const server of some.servers) server.behaviour = failing(some.random, 1);
    some.run(5_000);
    assert.equal(some.ejections(), 0);
    for (const server of some.servers) if (server !== some.bad) server.behaviour = healthy(some.random);
    some.run(3_000);
    assert.match(some.stats().state, /ejected|probation/);
  });

  it('is over when a process begins anew at the same address', () => {
    const some = world(9);
    some.run(3_000);
    some.bad.behaviour = failing(some.random, 1);
    some.run(10_000);
    assert.match(some.stats().state, /ejected|probation/);
    some.bad.set('failed');
    some.run(300);
    some.bad.behaviour = healthy(some.random);
    some.bad.set('ready');
    some.run(500);
    const { state } = some.stats();
    assert.equal(state, 'probation');
    some.run(15_000);
    assert.equal(some.stats().state, 'ready');
  });

  it('gives one that returns little at first, and probes with calls that may be made twice', () => {
    const some = world(10);
    some.run(3_000);
    some.bad.behaviour = () => ({});
    some.run(2_000, { timeoutMs: 300 });
    assert.equal(some.stats().state, 'ejected');
    some.bad.behaviour = healthy(some.random);
    const before = some.bad.calls.length;
    some.run(500, { method: fakeMethod('Create', {}) });
    assert.equal(some.bad.calls.length, before);
    some.run(1_000);
    assert.ok(some.bad.calls.length > before);
  });
});
