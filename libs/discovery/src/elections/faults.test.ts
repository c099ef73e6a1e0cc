import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log, systemClock, type Clock, type Leadership } from '@talaria/base';
import { hasCode } from '@talaria/errors';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines, eventually, type EtcdProcess } from '@talaria/etcd/testing';
import { etcdElections, type ServiceElections } from '../index.ts';

const prefix = 'talaria/default/elections/service.a/';
/** The shortest that a real etcd grants. */
const ttlSeconds = 2;

/** An etcd of its own, and instances that meet in it. */
function world(engine: (typeof engines)[number]): { server(): EtcdProcess; etcd(): Etcd; instance(clock?: Clock): ServiceElections; die(elections: ServiceElections): void } {
  let server: EtcdProcess;
  let etcd: Etcd;
  const ends: (() => unknown)[] = [];
  const clients = new WeakMap<ServiceElections, Etcd>();
  const connect = (): Etcd => {
    const client = connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 500 });
    ends.push(() => client.close());
    return client;
  };
  before(async () => {
    server = await engine.start();
    etcd = connect();
  });
  after(async () => {
    for (const end of ends) end();
    await server?.stop();
  });
  return {
    server: () => server,
    etcd: () => etcd,
    instance(clock) {
      const own = connect();
      const elections = etcdElections({ etcd: own, log, service: 'service.a', instance: `inst_${ends.length}`, ttlSeconds, clock });
      clients.set(elections, own);
      return elections;
    },
    die: (elections) => clients.get(elections)?.close(),
  };
}

/** A clock whose wall shows `shiftMs()` more than it should. */
const shifted = (shiftMs: () => number): Clock => ({ ...systemClock, now: () => Date.now() + shiftMs() });

// Mostly they wait for leases: at the same time.
describe('elections in an etcd that has troubles', { concurrency: true, timeout: 120_000 }, () => {
  for (const engine of engines) {
    describe(`${engine.name} restarted, frozen, away`, { skip: engine.skip, concurrency: 1 }, () => {
      const { server, etcd, instance, die } = world(engine);

      it('who leads is there to be looked at; the key goes with the leader, and the epoch stays', async () => {
        const leader = await instance().campaign('look');
        const { entries } = await etcd().list(prefix);
        assert.deepEqual(entries.map(({ key }) => key), [`${prefix}look`, `${prefix}look/epoch`]);
        assert.match(entries[0]?.value.toString() ?? '', /^inst_/);
        const [epoch, created] = [BigInt(entries[1]?.value.toString() ?? ''), entries[0]?.createRevision ?? 0n];
        assert.equal(leader.token, (epoch << 64n) + created);
        assert.ok(Math.abs(Number(epoch) - Date.now()) < 3_600_000, 'an epoch begins as the wall clock');
        await leader.resign();
        assert.equal(await etcd().get(`${prefix}look`), undefined);
        assert.equal((await etcd().get(`${prefix}look/epoch`))?.value.toString(), String(epoch));
      });

      it('what somebody takes away is lost, by deleting its key or writing over it', async () => {
        const mine = instance();
        const [deleted, overwritten] = [await mine.campaign('deleted'), await mine.campaign('overwritten')];
        await Promise.all([etcd().delete(`${prefix}deleted`), etcd().put(`${prefix}overwritten`, 'a person')]);
        await eventually('both are lost', () => deleted.lost.aborted && overwritten.lost.aborted);
        assert.ok(hasCode(deleted.lost.reason, 'conflict.fenced'));
        const again = await mine.campaign('deleted');
        assert.ok(again.token > deleted.token);
        await again.resign();
      });

      it('a client that is closed ends campaigns as well as leaderships', async () => {
        const [leads, stands] = [instance(), instance()];
        const leader = await leads.campaign('closed');
        const waiting = assert.rejects(stands.campaign('closed'), /client of etcd was closed/);
        die(stands);
        await waiting;
        await assert.rejects(stands.campaign('closed'), /client of etcd was closed/);
        await stands.close();
        die(leads);
        assert.ok(leader.lost.aborted);
      });

      it('an etcd that is restarted, with its data, ends no leadership', async () => {
        const leader = await instance().campaign('restarted');
        await server().restart();
        await etcd().get('is there');
        await new Promise((resolve) => setTimeout(resolve, ttlSeconds * 1000));
        // On a machine on which the restart took longer than a leadership lasts there was nothing to keep.
        if (leader.isHeld()) assert.equal((await etcd().get(`${prefix}restarted`))?.createRevision, leader.token & 0xffff_ffff_ffff_ffffn);
        await leader.resign();
      });

      for (const [how, hurt, heal] of [
        ['killed', () => server().kill(), () => server().restart()],
        ['frozen', async () => server().freeze(), async () => server().thaw()],
      ] as const) {
        it(`while etcd is ${how} a leader leads as long as its lease lasts, and no longer; then it is there to be won again`, async () => {
          const mine = instance();
          const leader = await mine.campaign(how);
          const waiting = instance().campaign(how);
          assert.equal(mine.away.get(), false);
          await hurt();
          await eventually('it is lost', () => leader.lost.aborted);
          assert.match((leader.lost.reason as Error).message, /could not be reached/);
          await eventually('it is known that nobody leads', () => mine.away.get());
          await heal();
          const next = await waiting;
          assert.ok(next.token > leader.token);
          await eventually('it is known that somebody can be elected', () => !mine.away.get());
          await next.resign();
        });
      }
    });

    describe(`${engine.name} with its data lost`, { skip: engine.skip, concurrency: 1 }, () => {
      const { server, etcd, instance } = world(engine);

      it('nobody else wins before the leader has ended, and the next token is higher', async () => {
        const [mine, other] = [instance(), instance()];
        const leader = await mine.campaign('emptied');
        // Who has not heard of this store before cannot notice that it lost its data.
        await (await other.campaign('known')).resign();
        const waiting = other.campaign('emptied').then((next) => ({ next, leaderHeld: leader.isHeld(), leaderLost: leader.lost.aborted }));
        await server().restart({ empty: true });
        const { next, leaderHeld, leaderLost } = await waiting;
        assert.deepEqual({ leaderHeld, leaderLost }, { leaderHeld: false, leaderLost: true });
        assert.ok(next.token > leader.token, `${next.token} after ${leader.token}`);
        await next.resign();
      });

      it('also when the wall clock has gone back meanwhile: who remembers goes on from there', async () => {
        let shift = 0;
        const mine = instance(shifted(() => shift));
        const leader = await mine.campaign('clock');
        shift = -86_400_000;
        assert.ok(leader.isHeld(), 'a clock that goes back ends nothing');
        await server().restart({ empty: true });
        await eventually('it is lost', () => leader.lost.aborted);
        const next = await mine.campaign('clock');
        assert.ok(next.token > leader.token);
        await next.resign();
      });

      it('and restored from a backup, with nobody who remembers: a store that does raises the epoch, through its leader only', async () => {
        const [before, yesterday] = [await instance().campaign('restored'), shifted(() => -86_400_000)];
        const seen = before.token;
        await server().restart({ empty: true });
        await etcd().put(`${prefix}restored/epoch`, String((seen >> 64n) - 1_000_000n));
        const first = await instance(yesterday).campaign('restored');
        assert.ok(first.token < seen, 'nothing tells the elections');
        before.refused(seen + 1n);
        first.refused(seen);
        assert.ok(first.lost.aborted);
        const next = await instance(yesterday).campaign('restored');
        assert.ok(next.token > seen, `${next.token} after ${seen}`);
        // A leader that finds out late, frozen when it was overtaken, raises nobody.
        first.refused(seen + (77n << 64n));
        await next.resign();
        const last = await instance(yesterday).campaign('restored');
        assert.ok(last.token > next.token && last.token < seen + (77n << 64n));
        await last.resign();
      });

      it('what is no epoch counts as none', async () => {
        await etcd().put(`${prefix}odd/epoch`, '\u0000{"not":"a number"}');
        const leader = await instance().campaign('odd');
        assert.ok(leader.token > 0n);
        await leader.resign();
      });
    });
  }

  describe('1,000 hand-overs', { concurrency: 1 }, () => {
    const { instance, die } = world(engines[0]!);

    it('lose no turn, and never two lead at a time, also when leaders die', async () => {
      const TURNS = 1_000;
      /** Of so many candidates, one dies. */
      const CANDIDATES = 3;
      let turns = 0;
      let last: Leadership | undefined;
      const candidate = async (mortal: boolean): Promise<number> => {
        const elections = instance();
        let mine = 0;
        while (turns < TURNS) {
          const won = await elections.campaign('crowd', done.signal).catch(() => undefined);
          if (!won) break;
          assert.ok(!last || (!last.isHeld() && last.lost.aborted && won.token > last.token), 'the one before has ended');
          last = won;
          turns++;
          mine++;
          if (turns >= TURNS) done.abort();
          if (mortal && mine === 20) {
            // As if its process had ended: nothing is given back.
            die(elections);
            break;
          }
          await won.resign();
        }
        return mine;
      };
      const done = new AbortController();
      const counts = await Promise.all(Array.from({ length: CANDIDATES }, (_, index) => candidate(index === 0)));
      assert.equal(counts.reduce((sum, each) => sum + each, 0), turns);
      assert.equal(turns, TURNS);
    });
  });
});
