import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromWire, hasCode } from '@talaria/errors';
import { mutableSetting } from '@talaria/base';
import { Status, type ArrivingCall, type Refusal, type ServedMethod } from '@talaria/rpc';
import { METHOD, simulatedServer, slots } from '../testing/simulated-server.ts';
import { simulatedTime } from '../testing/simulated-time.ts';
import { admission, type AdmissionSettings, type AdmissionTicket } from './admission.ts';
import type { ServerLimits } from './limit-settings.ts';

const STREAM: ServedMethod = { ...METHOD, path: '/test.v1.Test/Watch', responseStream: true };
const UPLOAD: ServedMethod = { ...METHOD, path: '/test.v1.Test/Upload', requestStream: true };

const arriving = (headers: Readonly<Record<string, string>> = {}, more: Partial<ArrivingCall> = {}): ArrivingCall => ({
  path: METHOD.path,
  method: METHOD,
  peer: { address: 'test' },
  gone: false,
  header: (name) => headers[name],
  ...more,
});
const by = (caller: string, more: Partial<ArrivingCall> = {}): ArrivingCall => arriving({ 'x-caller': caller }, more);
const isRefusal = (answer: unknown): answer is Refusal => typeof answer === 'object' && answer !== null && 'refusal' in answer;
const errorOf = ({ refusal: { status, details, trailer } }: Refusal) => fromWire(status, details, trailer);
const ok = { code: Status.OK, durationMs: 5 };

function make(limits: ServerLimits = {}, settings: AdmissionSettings = {}) {
  const time = simulatedTime();
  const live = mutableSetting(limits);
  const bounds = mutableSetting(settings);
  const made = admission({ clock: time, caller: (call) => call.header('x-caller'), limits: live, settings: bounds, exempt: (contract) => contract === 'test.v1.Exempt' });
  const ask = (call: ArrivingCall): AdmissionTicket | Refusal => {
    const answer = made.admit(call);
    assert.ok(!(answer instanceof Promise), 'decided at once');
    return answer;
  };
  const take = (call: ArrivingCall): AdmissionTicket => {
    const answer = ask(call);
    if (isRefusal(answer)) assert.fail(answer.refusal.details);
    return answer;
  };
  const refused = (call: ArrivingCall): ReturnType<typeof errorOf> => {
    const answer = ask(call);
    assert.ok(isRefusal(answer), 'it was taken');
    return errorOf(answer);
  };
  return { time, live, bounds, made, ask, take, refused };
}

describe('an admission', () => {
  it('takes calls and counts them', () => {
    const { take, made } = make();
    const tickets = [take(by('service.a')), take(by('service.b')), take(arriving({ baggage: 'talaria-priority=critical' }))];
    const { inFlight, admitted, refused, priorities, callers } = made.describe();
    assert.deepEqual({ inFlight, admitted, refused, priorities }, { inFlight: 3, admitted: 3, refused: 0, priorities: { critical: { admitted: 1, refused: 0 }, default: { admitted: 2, refused: 0 }, sheddable: { admitted: 0, refused: 0 } } });
    assert.deepEqual(callers.map(({ name }) => name).sort(), ['service.a', 'service.b', 'unverified']);
    for (const ticket of tickets) ticket.done(ok);
    assert.equal(made.describe().inFlight, 0);
    assert.equal(made.describe().rttMs, 5);
  });

  it('never refuses more in flight than the most, and does not count what is exempt', () => {
    const { take, refused, made } = make({}, { min: 1, max: 3 });
    const exempt = { ...METHOD, path: '/test.v1.Exempt/Check' };
    for (let call = 0; call < 100; call++) take(arriving({}, { method: exempt }));
    assert.equal(made.describe().inFlight, 0);
    const sheddable = arriving({ baggage: 'talaria-priority=sheddable' });
    for (let call = 0; call < 3; call++) take(sheddable);
    const error = refused(sheddable);
    assert.ok(hasCode(error, 'rate_limited.overload'));
    assert.ok(error.retryable && (error.retryAfterMs ?? 0) > 0, 'says when to come back');
    take(arriving({ baggage: 'talaria-priority=critical' }));
    take(arriving({}, { method: exempt }));
  });

  it('does not care how many there are when it is turned off, live', () => {
    const { take, refused, bounds } = make({}, { min: 1, max: 1 });
    take(by('a'));
    take(by('a'));
    refused(by('a'));
    bounds.set({ min: 1, max: 1, enabled: false });
    for (let call = 0; call < 50; call++) take(by('a'));
  });

  it('answers the same refusal again and again', () => {
    const { ask, take } = make({}, { min: 1, max: 1 });
    for (let call = 0; call < 2; call++) take(by('a'));
    const first = ask(by('a'));
    assert.ok(isRefusal(first) && first.refusal.status === Status.RESOURCE_EXHAUSTED);
    assert.equal(first.refusal.trailer.get('x-talaria-refused'), 'overload');
    assert.equal(ask(by('a')), first);
  });

  it('does not count a stream that has begun to answer, or has nothing to say yet, or takes what its client sends', () => {
    const { take, made, time } = make();
    const [quick, silent, upload] = [take(arriving({}, { method: STREAM })), take(arriving({}, { method: STREAM })), take(arriving({}, { method: UPLOAD }))];
    assert.deepEqual([made.describe().inFlight, made.describe().streams], [2, 1]);
    quick.responded(3);
    quick.responded(4);
    assert.deepEqual([made.describe().inFlight, made.describe().streams], [1, 2]);
    time.runUntil(2_000);
    assert.deepEqual([made.describe().inFlight, made.describe().streams], [0, 3]);
    silent.responded(2_500);
    for (const stream of [quick, silent, upload]) stream.done({ code: Status.OK, durationMs: 10_000 });
    assert.deepEqual([made.describe().inFlight, made.describe().streams], [0, 0]);
  });

  it('refuses under load what cannot end in time, but tries one now and then', () => {
    const time = simulatedTime();
    const made = admission({ clock: time });
    const server = simulatedServer(time, made, slots(time, 20, () => 50));
    time.arrivals(200, 5_000, () => server.call({}));
    time.runUntil(5_000);
    assert.equal(isRefusal(made.admit(arriving({}, { deadline: 5_001, clock: time }))), false, 'while nothing is short, that is up to the client');
    time.arrivals(2_000, 5_200, () => server.call({ timeoutMs: 10_000 }));
    time.runUntil(5_200);
    const answers = Array.from({ length: 20 }, () => made.admit(arriving({}, { deadline: 5_301, clock: time })));
    const refusals = answers.filter(isRefusal).map(errorOf);
    assert.ok(refusals.length >= 15 && refusals.length < 20, `${refusals.length}`);
    assert.ok(refusals.every((error) => hasCode(error, 'rate_limited.deadline')));
    assert.equal(isRefusal(made.admit(arriving({}, { deadline: 60_000, clock: time }))), false);
  });
});

describe('rates of a server', () => {
  it('hold for each caller, and for all together', () => {
    const { take, refused, made, time } = make({ '*': { rate: { per_second: 1, burst: 2 }, total: { per_second: 2, burst: 5 } } });
    for (const caller of ['a', 'b']) for (let call = 0; call < 2; call++) take(by(caller));
    const caller = refused(by('a'));
    assert.ok(hasCode(caller, 'rate_limited.caller'));
    assert.equal(caller.retryAfterMs, 1_000);
    take(by('c'));
    assert.ok(hasCode(refused(by('c')), 'rate_limited.method'));
    assert.deepEqual(made.describe().refusedBy, { caller: 1, method: 1 });
    time.runUntil(500);
    take(by('c'));
    refused(by('d'));
    time.runUntil(1_000);
    take(by('d'));
  });

  it('are of the contract, unless a live setting says something else; the most specific wins', () => {
    const { take, refused, live } = make();
    const method = { ...METHOD, options: { limits: { rate: { per_second: 0.001, burst: 1 } } } };
    take(by('a', { method }));
    refused(by('a', { method }));
    live.set({ 'test.v1.Test': { rate: { burst: 3 } } });
    for (let call = 0; call < 3; call++) take(by('a', { method }));
    refused(by('a', { method }));
    live.set({ '*': { rate: { per_second: 0.001 } }, 'test.v1.Test/Work': { rate: { per_second: 0 } } });
    for (let call = 0; call < 30; call++) take(by('a', { method }));
    live.set({ 'test.v1.Test': { callers: { a: { per_second: 1, burst: 5 } } } });
    for (let call = 0; call < 5; call++) take(by('a', { method }));
    refused(by('a', { method }));
    take(by('b', { method }));
    refused(by('b', { method }));
  });

  it('are read from generated contracts', () => {
    // rate { per_second: 1, burst: 1 }
    const rate = Buffer.from([10, 11, 9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 16, 1]);
    // total { per_second: 2, burst: 3 }, in an option of its own; concurrency: 7
    const total = Buffer.from([18, 11, 9, 0, 0, 0, 0, 0, 0, 0, 0x40, 16, 3, 24, 7]);
    const bytes = [rate, total].map((each) => Buffer.concat([Buffer.from([each.length]), each]));
    const method = { ...METHOD, options: { _unknownFields: { [(52005 << 3) | 2]: bytes } } };
    const { take, refused } = make();
    for (const caller of ['a', 'b', 'c']) take(by(caller, { method }));
    assert.ok(hasCode(refused(by('a', { method })), 'rate_limited.caller'));
    assert.ok(hasCode(refused(by('d', { method })), 'rate_limited.method'));
  });

  it('bound how many calls of a method run at once', () => {
    const { take, refused } = make({ 'test.v1.Test/Watch': { concurrency: 2 } });
    const [first] = [take(by('a', { method: STREAM })), take(by('a', { method: STREAM }))];
    assert.ok(hasCode(refused(by('a', { method: STREAM })), 'rate_limited.concurrency'));
    take(by('a'));
    first.responded(1);
    refused(by('a', { method: STREAM }));
    first.done(ok);
    take(by('a', { method: STREAM }));
  });

  it('bound how many run at once among those that have waited, too', async () => {
    const { take, made, time } = make({ '*': { concurrency: 1, rate: { per_second: 10, burst: 1, wait: true } } });
    take(by('a')).done(ok);
    const waiting = [made.admit(by('a')), made.admit(by('a'))];
    time.runUntil(200);
    const [first, second] = [await waiting[0], await waiting[1]];
    assert.ok(!isRefusal(first) && isRefusal(second));
    assert.ok(hasCode(errorOf(second), 'rate_limited.concurrency'));
  });

  it('give back what a call took of one rate that is gone when another one lets it through', async () => {
    const { take, made, time } = make({ '*': { rate: { per_second: 0.1, burst: 1 }, total: { per_second: 10, burst: 1, wait: true } } });
    take(by('b'));
    const gone = made.admit(by('a', { gone: true }));
    assert.ok(gone instanceof Promise);
    time.runUntil(100);
    await gone;
    time.runUntil(300);
    take(by('a'));
  });

  it('make calls wait where they are throttles, in their order, as long as their time allows', async () => {
    const { take, refused, made, time } = make({ '*': { rate: { per_second: 10, burst: 1, wait: true, max_waiting: 2 } } });
    take(by('a'));
    const order: string[] = [];
    const wait = async (name: string, more: Partial<ArrivingCall> = {}): Promise<void> => {
      const answer = made.admit(by('a', more));
      assert.ok(answer instanceof Promise);
      order.push(isRefusal(await answer) ? `${name} refused` : name);
    };
    const all = [wait('first'), wait('second')];
    assert.equal(made.describe().queued, 2);
    assert.ok(hasCode(refused(by('a')), 'rate_limited.caller'), 'two wait at most');
    assert.ok(hasCode(refused(by('a', { deadline: 50, clock: time })), 'rate_limited.caller'), 'its time would be over');
    time.runUntil(99);
    await new Promise(setImmediate);
    assert.deepEqual(order, []);
    time.runUntil(100);
    await new Promise(setImmediate);
    assert.deepEqual(order, ['first']);
    time.runUntil(200);
    await Promise.all(all);
    assert.deepEqual(order, ['first', 'second']);
    assert.equal(made.describe().queued, 0);
  });

  it('remember no more callers than they can', () => {
    const { take, made } = make({ '*': { rate: { per_second: 0.001, burst: 1 } } });
    for (let caller = 0; caller < 5_000; caller++) take(by(`service.${caller}`)).done(ok);
    assert.ok(made.describe().callers.length <= 10);
  });
});

describe('fairness', () => {
  it('one noisy caller does not starve the others', () => {
    const time = simulatedTime();
    const made = admission({ clock: time, caller: (call) => call.header('x-caller') });
    const server = simulatedServer(time, made, slots(time, 20, () => 50));
    const quiet = ['service.b', 'service.c', 'service.d'];
    const offer = (noisy: number, untilMs: number): void => {
      time.arrivals(noisy, untilMs, () => server.call({ caller: 'service.a' }));
      for (const caller of quiet) time.arrivals(40, untilMs, () => server.call({ caller }));
      time.runUntil(untilMs);
    };
    offer(100, 10_000);
    server.forget();
    offer(2_000, 14_000);
    server.forget();
    offer(2_000, 40_000);
    for (const caller of quiet) {
      const { served, offered } = server.outcomes(caller);
      assert.ok(served >= 0.98 * offered, `${caller}: ${served} of ${offered}`);
    }
    assert.ok(server.outcomes().served >= 0.9 * 400 * 26, 'what they do not want goes to the noisy one');
    assert.ok(made.describe().callers.find(({ name }) => name === 'service.a')?.refused);
  });

  it('of those who all want more each gets as much', () => {
    const time = simulatedTime();
    const made = admission({ clock: time, caller: (call) => call.header('x-caller') });
    const server = simulatedServer(time, made, slots(time, 20, () => 50));
    const offer = (untilMs: number, rates: Readonly<Record<string, number>>): void => {
      for (const [caller, rate] of Object.entries(rates)) time.arrivals(rate, untilMs, () => server.call({ caller }));
      time.runUntil(untilMs);
    };
    offer(5_000, { a: 100, b: 100 });
    offer(15_000, { a: 3_000, b: 500 });
    server.forget();
    offer(45_000, { a: 3_000, b: 500 });
    const [a, b] = [server.outcomes('a').served, server.outcomes('b').served];
    assert.ok(b > 0.3 * (a + b), `${b} of ${a + b}`);
  });
});
