import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { engines, type EtcdProcess } from '@talaria/etcd/testing';
import pg from 'pg';
import { testDatabase, type TestDatabase } from '../database.ts';
import { eventually } from '../eventually.ts';

interface Said {
  readonly leads?: string;
  readonly token?: string;
  readonly inside?: string;
  readonly counted?: string;
  readonly refused?: string;
  readonly fenced?: boolean;
  readonly error?: string;
}

const program = fileURLToPath(new URL('./writer.ts', import.meta.url));

// They mostly wait.
describe('leaders', { concurrency: true }, () => {
  for (const [when, mode] of [
    ['between two writes', 'between'],
    ['with a transaction open', 'inside'],
  ] as const) {
    describe(`a leader that is frozen ${when}`, { timeout: 120_000 }, () => {
      let etcd: EtcdProcess;
      let database: TestDatabase;
      let client: pg.Client;
      const children: ChildProcess[] = [];
      before(async () => {
        [etcd, database] = await Promise.all([engines[0]!.start(), testDatabase()]);
        client = new pg.Client({ connectionString: database.url });
        client.on('error', () => {});
        await client.connect();
        // The order of `id` is that of the writes, which the fence makes that of the leaders.
        await client.query('create table writes (id bigserial primary key, writer text not null, token numeric not null, counts boolean not null default false)');
        await client.query('create table counter (value int4 not null); insert into counter values (0)');
      });
      after(async () => {
        for (const child of children) child.kill('SIGKILL');
        await client?.end();
        await database?.close();
        await etcd?.stop();
      });

      function writer(name: string): { said: Said[]; child: ChildProcess } {
        const child = fork(program, [name, etcd.endpoint], { env: { ...process.env, DATABASE_URL: database.url } });
        children.push(child);
        const said: Said[] = [];
        child.on('message', (message) => said.push(message as Said));
        return { said, child };
      }
      const writes = async (): Promise<{ writer: string; token: string }[]> => (await client.query<{ writer: string; token: string }>('select writer, token from writes order by id')).rows;

      it('has nothing of what it writes kept once another one has won and written', async () => {
        const one = writer('one');
        await eventually(() => one.said.some(({ counted }) => counted));
        if (mode === 'inside') {
          one.child.send('inside');
          await eventually(() => one.said.at(-1)?.inside);
        }
        one.child.kill('SIGSTOP');
        const two = writer('two');
        await eventually(() => two.said.some(({ counted }) => counted), { limitMs: 60_000 });
        const before = await writes();
        const lastOfOne = before.findLastIndex(({ writer: by }) => by === 'one');
        assert.ok(before.findIndex(({ writer: by }) => by === 'two') > lastOfOne, 'what the first has written was there before');
        one.child.kill('SIGCONT');
        await eventually(() => one.said.some(({ refused }) => refused), { limitMs: 60_000 });
        const { fenced, error } = one.said.find(({ refused }) => refused) ?? {};
        assert.equal(fenced, true, error);
        // The other one goes on meanwhile.
        const count = two.said.filter(({ counted }) => counted).length;
        await eventually(() => two.said.filter(({ counted }) => counted).length > count + 20);
        const all = await writes();
        assert.deepEqual(all.slice(lastOfOne + 1).filter(({ writer: by }) => by !== 'two'), [], 'none of its writes got through');
        const tokens = all.map(({ token }) => BigInt(token));
        assert.ok(tokens.every((token, index) => index === 0 || token >= tokens[index - 1]!), 'tokens only grow');

        // And back: who was frozen may lead again, with a higher token.
        two.child.kill('SIGKILL');
        await eventually(() => one.said.filter(({ leads }) => leads).length === 2, { limitMs: 60_000 });
        const [first, second] = one.said.flatMap(({ token }) => (token === undefined ? [] : [BigInt(token)]));
        assert.ok(second! > first!);
        await eventually(() => one.said.slice(one.said.findLastIndex(({ leads }) => leads)).some(({ counted }) => counted), { limitMs: 60_000 });
        one.child.kill('SIGKILL');
        await new Promise((resolve) => one.child.once('exit', resolve));
        // Each transaction was whole, and read what the one before had written: it has counted if, and only if, its row is there.
        const { rows } = await client.query<{ value: number; rows: number }>('select value, (select count(*)::int4 from writes where counts) as rows from counter');
        assert.ok(rows[0]!.value > 0);
        assert.equal(rows[0]!.value, rows[0]!.rows);
      });
    });
  }
});
