import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log, type Logger } from '@talaria/base';
import { startEtcd } from '@talaria/etcd-server';
import type { Etcd3 } from 'etcd3';
import { connectEtcd, openSession, watchPrefix, type Etcd, type EtcdCredentials } from './index.ts';
import { engines, eventually, secureEtcd, type EtcdProcess } from './testing/index.ts';

const USERS = [
  { name: 'ada', own: ['test/'] },
  { name: 'bob', own: [] },
];

/** Everything that is logged, as text. */
function listening(): { log: Logger; text(): string } {
  const lines: unknown[] = [];
  const note = (message: string, fields?: unknown): void => void lines.push([message, fields]);
  const listener = { ...log, trace: note, debug: note, info: note, warn: note, error: note, fatal: note } as unknown as Logger;
  return { log: listener, text: () => JSON.stringify(lines, (_, value: unknown) => (value instanceof Error ? `${value.message} ${value.stack}` : value)) };
}

for (const engine of engines) {
  describe(`logging in to ${engine.name}`, { skip: engine.skip, concurrency: false, timeout: 60_000 }, () => {
    let server: EtcdProcess;
    let root: Etcd3;
    let etcd: Etcd;
    let credentials: EtcdCredentials | undefined = { username: 'ada', password: 'ada' };
    const opened: Etcd[] = [];
    const connect = (options: Partial<Parameters<typeof connectEtcd>[0]>): Etcd => {
      const made = connectEtcd({ endpoints: server.endpoint, log, pulseMs: 200, requestTimeoutMs: 5000, ...options });
      opened.push(made);
      return made;
    };

    before(async () => {
      server = await engine.start();
      etcd = connect({ credentials: () => credentials });
    });
    after(async () => {
      for (const each of opened) each.close();
      root?.close();
      await server?.stop();
    });

    /** Writes, and waits until the watch has seen it. */
    async function works(watched: { readonly entries: ReadonlyMap<string, { readonly value: Buffer }> | undefined }, value: string): Promise<void> {
      await eventually(`"${value}" is written`, () => etcd.put('test/value', value).then(() => true, () => false));
      await eventually(`the watch sees "${value}"`, () => watched.entries?.get('test/value')?.value.toString() === value);
    }

    it('goes on when authentication is turned on, passwords change, users and roles change, and etcd forgets all logins', async () => {
      await etcd.put('test/before', 'there is no authentication yet');
      const session = openSession(etcd, { log, ttlSeconds: 2 });
      await session.keep('test/kept', 'here').ready;
      const watched = watchPrefix(etcd, 'test/', { log });
      await watched.ready;

      root = await secureEtcd(server.endpoint, USERS);
      await works(watched, 'after it was turned on');

      credentials = { username: 'ada', password: 'changed' };
      await root.auth.userChangePassword({ name: 'ada', password: 'changed' });
      await works(watched, 'after the password was changed');

      // Every change of a role makes all logins outdated for what is under way.
      let done = false;
      const writes = (async () => {
        for (let n = 0; !done; n++) await etcd.put('test/busy', String(n));
        return true;
      })();
      for (let n = 0; n < 30; n++) {
        await root.auth.roleGrantPermission({ name: 'bob', perm: { permType: 'Read', key: Buffer.from(`some/${n}`), range_end: Buffer.alloc(0) } });
      }
      done = true;
      assert.equal(await writes, true, 'no write failed');

      await server.restart();
      await works(watched, 'after a restart');
      await eventually('the key is kept', async () => (await etcd.get('test/kept').catch(() => undefined))?.value.toString() === 'here');
      await eventually('the session knows', () => session.state.get() === 'held');
      watched.close();
      await session.release();
    });

    it('does what the user may do, and nothing else', async () => {
      const bob = connect({ username: 'bob', password: 'bob' });
      await assert.rejects(bob.get('test/value'), /permission denied/);
      await assert.rejects(bob.put('test/value', ''), /permission denied/);
      await assert.rejects(bob.transaction({ compare: [], success: [{ delete: 'test/value' }] }), /permission denied/);
      await bob.checker().check(AbortSignal.timeout(10_000));
    });

    it('says what to set to nobody, and to whom has a wrong password, which it never shows', async () => {
      await assert.rejects(connect({}).get('test/value'), /set ETCD_USERNAME and ETCD_PASSWORD/);
      const heard = listening();
      const wrong = connect({ username: 'ada', password: 'secret-of-ada', log: heard.log });
      for (let n = 0; n < 3; n++) {
        await assert.rejects(wrong.get('test/value'), (error: Error) => {
          assert.match(error.message, /refuses the login of the user "ada": check ETCD_USERNAME and ETCD_PASSWORD/);
          assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /secret-of-ada/);
          return true;
        });
      }
      assert.match(heard.text(), /refuses the login/);
      assert.doesNotMatch(heard.text(), /secret-of-ada/);
      await assert.rejects(async () => wrong.checker().check(AbortSignal.timeout(10_000)), /refuses the login/);
    });

    it('takes up credentials that come later', async () => {
      const later: { credentials?: EtcdCredentials } = {};
      const late = connect({ credentials: () => later.credentials });
      await assert.rejects(late.get('test/value'), /set ETCD_USERNAME/);
      later.credentials = { username: 'ada', password: 'changed' };
      assert.ok(await late.get('test/value'));
    });
  });
}

describe('a login', () => {
  it('is renewed when it expires', async (t) => {
    const server = await startEtcd({ inMemory: true, authTokenTtlMs: 1000 });
    const root = await secureEtcd(server.address, USERS);
    const etcd = connectEtcd({ endpoints: server.address, log, username: 'ada', password: 'ada', requestTimeoutMs: 20_000 });
    t.after(async () => {
      etcd.close();
      root.close();
      await server.stop();
    });
    await etcd.put('test/value', 'before');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.equal((await etcd.get('test/value'))?.value.toString(), 'before');
  });

  it('needs a user and a password', () => {
    assert.throws(() => connectEtcd({ endpoints: '127.0.0.1:1', log, username: 'ada' }), /both a user and a password/);
  });
});
