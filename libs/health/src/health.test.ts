import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, type Checker, type Clock, type Logger } from '@talaria/base';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '@talaria/contracts/health/v1/health';
import { hasCode } from '@talaria/errors';
import { healthHandlers } from './grpc-health.ts';
import { createHealth } from './health.ts';

const CONTRACT = 'account.v1.AccountService';

function recorder(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  return { log: { ...silentLogger, warn: (message) => void lines.push(message), info: (message) => void lines.push(message) }, lines };
}

test('an instance serves when it says so and no critical checker fails', async () => {
  let broken = false;
  const database: Checker = {
    name: 'database',
    critical: true,
    check() {
      if (broken) throw new Error('no connection');
      return { connections: 3 };
    },
  };
  const cache: Checker = {
    name: 'cache',
    check: () => {
      throw new Error('cold');
    },
  };
  const { log, lines } = recorder();
  const health = createHealth({ checkers: [database, cache], log });
  health.setServing(CONTRACT, true);
  assert.equal(health.status(''), ServingStatus.NOT_SERVING);
  health.setOverall(true);
  await health.check();
  assert.equal(health.status(CONTRACT), ServingStatus.SERVING);
  assert.deepEqual(health.results().map(({ name, ok }) => [name, ok]), [['database', true], ['cache', false]]);
  const { durationMs, since, ...first } = health.results()[0] ?? assert.fail('it has run');
  assert.deepEqual(first, { name: 'database', critical: true, priority: 'critical', ok: true, data: { connections: 3 } });
  assert.ok(durationMs >= 0 && Math.abs(Date.parse(since) - Date.now()) < 60_000, since);
  assert.ok(health.well);
  broken = true;
  await health.check();
  const failedSince = health.results()[0]?.since;
  await health.check();
  assert.equal(health.results()[0]?.since, failedSince, 'since its first failure');
  assert.ok(!health.well);
  assert.equal(health.status(''), ServingStatus.NOT_SERVING);
  assert.equal(health.status(CONTRACT), ServingStatus.NOT_SERVING);
  broken = false;
  await health.check();
  assert.equal(health.status(CONTRACT), ServingStatus.SERVING);
  assert.deepEqual(lines, ['cache is not well: cold', 'database is not well: no connection', 'database is well again']);
});

test('a checker that hangs fails after its time, and its signal aborts', async () => {
  let aborted = false;
  const hanging: Checker = {
    name: 'hanging',
    critical: true,
    check: (signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    },
  };
  const health = createHealth({ checkers: [hanging], timeoutMs: 20 });
  health.setOverall(true);
  const [outcome] = await health.check();
  assert.equal(outcome?.ok, false);
  assert.match(outcome.error, /within 20 ms/);
  assert.ok(aborted);
  assert.equal(health.status(''), ServingStatus.NOT_SERVING);
});

test('a priority is critical if the checker is, else what it says, else warning; only critical ones count', async () => {
  const fail = (): never => {
    throw new Error('broken');
  };
  const health = createHealth({ checkers: [{ name: 'a', check: fail }, { name: 'b', priority: 'info', check: fail }, { name: 'c', critical: true, priority: 'info', check: () => ({}) }, { name: 'd', priority: 'critical', check: () => ({}) }] });
  await health.check();
  assert.deepEqual(health.results().map(({ name, priority, critical }) => [name, priority, critical]), [['a', 'warning', false], ['b', 'info', false], ['c', 'critical', true], ['d', 'critical', true]]);
  assert.ok(health.well);
  health.add({ name: 'e', priority: 'critical', check: fail });
  await health.check();
  assert.ok(!health.well);
});

test('a checker that hangs holds up no other: a critical failure is told at once', async () => {
  const end = Promise.withResolvers<Record<string, unknown>>();
  const health = createHealth({ checkers: [{ name: 'hanging', check: () => end.promise }, { name: 'broken', critical: true, check: () => Promise.reject(new Error('no')) }], timeoutMs: 600_000 });
  health.setOverall(true);
  const changed = new Promise<void>((resolve) => void health.onChange(() => resolve()));
  health.start();
  await changed;
  assert.ok(!health.well);
  assert.deepEqual(health.results().map(({ name }) => name), ['broken']);
  health.stop();
  end.resolve({});
});

test('a process that was held up itself gives a check its time again', async () => {
  let now = 0;
  const timers: { readonly at: number; readonly fire: () => void }[] = [];
  const clock: Clock = { now: () => now, monotonic: () => now, after: (ms, fire) => (timers.push({ at: now + ms, fire }), () => {}) };
  const answer = Promise.withResolvers<Record<string, unknown>>();
  const health = createHealth({ checkers: [{ name: 'slow', critical: true, check: () => answer.promise }], timeoutMs: 100, clock });
  const round = health.check();
  now = 60_000; // As after SIGCONT.
  timers.shift()?.fire();
  answer.resolve({ fine: true });
  assert.equal((await round)[0]?.ok, true);
});

test('the rounds go on by themselves until the health is stopped', async () => {
  let rounds = 0;
  const third = Promise.withResolvers<void>();
  const counting: Checker = {
    name: 'counting',
    check() {
      if (++rounds === 3) third.resolve();
      return {};
    },
  };
  const health = createHealth({ checkers: [counting], intervalMs: 1 });
  health.start();
  // Background timers do not keep a process alive, and nothing else does here.
  const alive = setInterval(() => {}, 1_000);
  await third.promise;
  health.stop();
  clearInterval(alive);
  const atStop = rounds;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(rounds <= atStop + 1);
});

test('Check and List know what is served; Check of anything else is NOT_FOUND', async () => {
  const health = createHealth({ checkers: [] });
  health.setOverall(true);
  health.setServing(CONTRACT, true);
  const handlers = healthHandlers(health);
  const context = { signal: new AbortController().signal } as never;
  assert.deepEqual(await handlers.check({ service: CONTRACT }, context), { status: ServingStatus.SERVING });
  await assert.rejects(handlers.check({ service: 'no.such.Contract' }, context), (error) => hasCode(error, 'not_found.contract'));
  assert.deepEqual(await handlers.list({}, context), { statuses: { '': { status: ServingStatus.SERVING }, [CONTRACT]: { status: ServingStatus.SERVING } } });
});

test('Watch tells of each change, of contracts too that are not known yet, and ends with the call', async () => {
  const health = createHealth({ checkers: [] });
  const hangUp = new AbortController();
  const handlers = healthHandlers(health);
  const watch = handlers.watch({ service: CONTRACT }, { signal: hangUp.signal } as never)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => ((await watch.next()) as { value?: { status?: number } }).value?.status;
  assert.equal(await next(), ServingStatus.SERVICE_UNKNOWN);
  health.setServing(CONTRACT, true);
  assert.equal(await next(), ServingStatus.NOT_SERVING);
  health.setOverall(true);
  assert.equal(await next(), ServingStatus.SERVING);
  const over = watch.next();
  hangUp.abort();
  assert.equal((await over).done, true);
});

test('Watch says NOT_SERVING and ends when the health is stopped', async () => {
  const health = createHealth({ checkers: [] });
  health.setOverall(true);
  const statuses: unknown[] = [];
  const watching = (async () => {
    for await (const { status } of healthHandlers(health).watch({ service: '' }, { signal: new AbortController().signal } as never)) {
      statuses.push(status);
      if (statuses.length === 1) setImmediate(() => health.stop());
    }
  })();
  await watching;
  assert.deepEqual(statuses, [ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
});

test('liveness is SERVING from the start to the end, whatever the instance says and its checkers find; its watch says so once', async () => {
  const broken: Checker = {
    name: 'database',
    critical: true,
    check: () => {
      throw new Error('no connection');
    },
  };
  const health = createHealth({ checkers: [broken] });
  const handlers = healthHandlers(health);
  const context = { signal: new AbortController().signal } as never;
  const assertAlive = async (): Promise<void> => assert.deepEqual(await handlers.check({ service: 'liveness' }, context), { status: ServingStatus.SERVING });
  const watch = handlers.watch({ service: 'liveness' }, context)[Symbol.asyncIterator]();
  assert.deepEqual(await watch.next(), { done: false, value: { status: ServingStatus.SERVING } });
  const over = watch.next();
  await assertAlive();
  health.setOverall(true);
  await health.check();
  await assertAlive();
  health.setOverall(false);
  await assertAlive();
  health.stop();
  await assertAlive();
  assert.deepEqual(await over, { done: true, value: undefined });
});

test('a checker that comes later is run too, also if it is the first', async () => {
  const health = createHealth({ checkers: [], intervalMs: 1 });
  health.setOverall(true);
  health.start();
  const looked = Promise.withResolvers<void>();
  const alive = setInterval(() => {}, 1_000);
  health.add({
    name: 'late',
    critical: true,
    check() {
      looked.resolve();
      throw new Error('not yet');
    },
  });
  await looked.promise;
  const [outcome] = await health.check();
  assert.deepEqual([outcome?.name, outcome?.ok], ['late', false]);
  assert.equal(health.status(''), ServingStatus.NOT_SERVING);
  health.stop();
  clearInterval(alive);
});
