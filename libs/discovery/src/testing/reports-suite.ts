import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hasCode } from '@talaria/errors';
import { eventually } from '@talaria/etcd/testing';
import { MONITOR_ELECTION, type HealthReports, type InstanceReport, type ServiceElections } from '../index.ts';

/** One place that monitors meet in. */
export interface ReportsWorld {
  /** As an instance would open them. */
  reports(): HealthReports;
  elections(service: string): ServiceElections;
  /** The revision at which a report was written; undefined where nothing counts writes. */
  readonly revision: ((service: string, instance: string) => Promise<bigint | undefined>) | undefined;
  stop(): Promise<void>;
}

const AT = '2026-01-02T03:04:05.000Z';
const report = (service: string, instance: string, more: Partial<InstanceReport> = {}): InstanceReport => ({
  service,
  instance,
  address: `${instance}:1`,
  version: '1.2.3',
  reachable: true,
  ready: true,
  registered: true,
  since: AT,
  checkers: [{ name: 'database', priority: 'critical', ok: true, data: { connections: 3 }, durationMs: 4, since: AT }],
  monitor: 'inst_monitor',
  at: AT,
  ...more,
});

/** What every place for reports must do. `skip`: why it cannot be tested here. */
export function reportsSuite(name: string, skip: string | false, open: () => Promise<ReportsWorld>): void {
  describe(`health reports ${name}`, { skip }, () => {
    let world: ReportsWorld;
    before(async () => {
      world = await open();
    });
    after(() => world?.stop());

    it('lists what monitors have published, by service and instance', async () => {
      const [one, two] = [world.reports(), world.reports()];
      const [a, b] = await Promise.all(['service.a', 'service.ab'].map((service) => world.elections(service).campaign(MONITOR_ELECTION)));
      assert.ok(a && b);
      const failing = report('service.a', 'i2', { ready: false, checkers: [{ name: 'database', priority: 'critical', ok: false, error: 'no connection', durationMs: 1, since: AT }] });
      await one.publish('service.a', [failing, report('service.a', 'i1')], a);
      await two.publish('service.ab', [report('service.ab', 'i3', { reachable: false, error: 'no answer', registered: false, checkers: [] })], b);
      assert.deepEqual((await two.list()).map(({ service, instance }) => `${service}/${instance}`), ['service.a/i1', 'service.a/i2', 'service.ab/i3']);
      assert.deepEqual(await two.list('service.a'), [report('service.a', 'i1'), failing]);
      await one.publish('service.a', [report('service.a', 'i4')], a);
      assert.deepEqual((await two.list('service.a')).map(({ instance }) => instance), ['i4'], 'those that are gone are taken out');
      await one.withdraw('service.a', a);
      assert.deepEqual(await two.list('service.a'), []);
      assert.equal((await one.list('service.ab')).length, 1);
      await Promise.all([a.resign(), b.resign()]);
    });

    it('lets only the leader publish, and takes back nothing of a later one', async () => {
      const [one, two] = [world.reports(), world.reports()];
      const first = await world.elections('service.led').campaign(MONITOR_ELECTION);
      await one.publish('service.led', [report('service.led', 'i1', { monitor: 'first' })], first);
      const next = world.elections('service.led').campaign(MONITOR_ELECTION);
      await first.resign();
      const second = await next;
      await assert.rejects(one.publish('service.led', [report('service.led', 'i1', { monitor: 'late' })], first), (error) => hasCode(error, 'conflict.fenced'));
      await two.publish('service.led', [report('service.led', 'i1', { monitor: 'second' })], second);
      await one.withdraw('service.led', first);
      assert.deepEqual((await one.list('service.led')).map(({ monitor }) => monitor), ['second']);
      await second.resign();
    });

    it('writes what has changed, and mere numbers once a minute', async () => {
      if (!world.revision) return;
      const reports = world.reports();
      const leadership = await world.elections('service.quiet').campaign(MONITOR_ELECTION);
      const publish = async (more: Partial<InstanceReport>): Promise<bigint | undefined> => {
        await reports.publish('service.quiet', [report('service.quiet', 'i1', more)], leadership);
        return world.revision?.('service.quiet', 'i1');
      };
      const checkers = (connections: number) => [{ name: 'database', priority: 'critical', ok: true, data: { connections }, durationMs: connections, since: AT } as const];
      const first = await publish({});
      assert.equal(await publish({ at: '2026-01-02T03:04:15.000Z', checkers: checkers(9) }), first);
      assert.notEqual(await publish({ at: '2026-01-02T03:05:06.000Z', checkers: checkers(9) }), first);
      const before = await publish({ at: '2026-01-02T03:05:16.000Z', checkers: checkers(9) });
      assert.notEqual(await publish({ at: '2026-01-02T03:05:26.000Z', checkers: checkers(9), ready: false }), before);
      assert.equal((await reports.list('service.quiet'))[0]?.ready, false);
      await leadership.resign();
      await eventually('it still holds', async () => (await reports.list('service.quiet')).length === 1);
    });
  });
}
