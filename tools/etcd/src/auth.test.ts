// Users, roles and logins: what both servers do, and where ours is stricter than etcd 3.4.23.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type WatchResponse } from './messages.ts';
import { type ServiceName } from './protocol.ts';
import { startEtcd, type EtcdOptions } from './start.ts';
import { collect } from './testing/collect.ts';
import { missing, ours, real, type Engine } from './testing/engines.ts';
import { rawClient } from './testing/raw-client.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const DENIED = '7 etcdserver: permission denied';
const BAD_TOKEN = '16 etcdserver: invalid auth token';
const NOBODY = '3 etcdserver: user name is empty';
const EVERYTHING = { key: bytes('\0'), range_end: bytes('\0') };

/** A server with root, and with ada, who may read and write `own/` and read `shared`; authentication is on. */
async function secured(t: { after(clean: () => Promise<void>): void }, start: () => ReturnType<Engine['start']>) {
  const server = await start();
  const client = rawClient(server.address);
  t.after(async () => {
    client.close();
    await server.stop();
  });
  const call = async (service: ServiceName, method: string, request: object, token?: string): Promise<Record<string, unknown>> => (await client.call(service, method, request, token)) ?? {};
  const auth = (method: string, request: object, token?: string) => call('Auth', method, request, token);
  const login = async (name: string, password = name): Promise<string> => (await auth('Authenticate', { name, password }))['token'] as string;
  for (const name of ['root', 'ada']) await auth('UserAdd', { name, password: name });
  await auth('UserGrantRole', { user: 'root', role: 'root' });
  await auth('RoleAdd', { name: 'own' });
  await auth('RoleGrantPermission', { name: 'own', perm: { permType: 2, key: bytes('own/'), range_end: bytes('own0') } });
  await auth('RoleGrantPermission', { name: 'own', perm: { permType: 0, key: bytes('shared') } });
  await auth('UserGrantRole', { user: 'ada', role: 'own' });
  assert.equal((await auth('AuthEnable', {}))['error'], undefined);
  return { server, client, call, auth, login };
}

for (const engine of [ours, real]) {
  describe(`authentication: ${engine.name}`, { skip: engine.skip, timeout: 60_000 }, () => {
    it('lets a user do what its roles permit, and nobody else anything', async (t) => {
      const { call, login } = await secured(t, engine.start);
      const ada = await login('ada');
      assert.match(ada, /^[a-zA-Z]{16}\.\d+$/);
      const error = async (method: string, request: object, token?: string) => (await call('KV', method, request, token))['error'];
      const put = { key: bytes('own/a'), value: bytes('1') };
      const own = { key: bytes('own/'), range_end: bytes('own0') };
      assert.equal(await error('Put', put), NOBODY);
      assert.equal(await error('Range', own), NOBODY);
      assert.equal(await error('Put', put, 'made-up'), BAD_TOKEN);
      assert.equal(await error('Put', put, ada), undefined);
      assert.equal(await error('Range', own, ada), undefined);
      assert.equal(await error('Range', { ...own, range_end: bytes('own1') }, ada), DENIED);
      assert.equal(await error('Range', { ...own, range_end: bytes('\0') }, ada), DENIED);
      assert.equal(await error('Range', { key: bytes('shared') }, ada), undefined);
      assert.equal(await error('Put', { key: bytes('shared') }, ada), DENIED);
      assert.equal(await error('Txn', { compare: [{ key: bytes('other') }] }, ada), DENIED);
      assert.equal(await error('Txn', { failure: [{ request_put: { key: bytes('shared') } }] }, ada), DENIED);
      assert.equal(await error('DeleteRange', EVERYTHING, ada), DENIED);
      assert.equal(await error('DeleteRange', EVERYTHING, await login('root')), undefined);
    });

    it('keeps others from ending a lease, and from hanging keys on it', async (t) => {
      const { call, login } = await secured(t, engine.start);
      const [root, ada] = [await login('root'), await login('ada')];
      const { ID } = (await call('Lease', 'LeaseGrant', { TTL: '100' }, root)) as { ID: string };
      await call('KV', 'Put', { key: bytes('roots'), lease: ID }, root);
      assert.equal((await call('Lease', 'LeaseRevoke', { ID }, ada))['error'], DENIED);
      assert.equal((await call('KV', 'Put', { key: bytes('own/a'), lease: ID }, ada))['error'], DENIED);
      assert.equal((await call('Lease', 'LeaseRevoke', { ID }, root))['error'], undefined);
    });

    it('cancels a watch of what may not be read, and goes on with others on the stream', async (t) => {
      const { client, call, login } = await secured(t, engine.start);
      const ada = await login('ada');
      const stream = client.watch(ada);
      const heard = collect<WatchResponse>();
      stream.on('data', heard.push);
      stream.on('error', () => {});
      stream.write({ create_request: { key: bytes('secret') } });
      stream.write({ create_request: { key: bytes('own/'), range_end: bytes('own0') } });
      const [refused] = await heard.take(2);
      assert.deepEqual([refused?.created, refused?.canceled, refused?.watch_id], [true, true, '-1']);
      assert.equal(refused?.cancel_reason, 'rpc error: code = PermissionDenied desc = etcdserver: permission denied');
      await call('KV', 'Put', { key: bytes('own/w'), value: bytes('seen') }, ada);
      assert.equal((await heard.take(3))[2]?.events?.[0]?.kv.value?.toString(), 'seen');
      stream.cancel();
    });

    it('ends logins when the password changes, and takes up a changed role at once', async (t) => {
      const { call, auth, login } = await secured(t, engine.start);
      const [root, ada] = [await login('root'), await login('ada')];
      const put = async () => (await call('KV', 'Put', { key: bytes('more') }, ada))['error'];
      assert.equal(await put(), DENIED);
      await auth('RoleGrantPermission', { name: 'own', perm: { permType: 1, key: bytes('more') } }, root);
      assert.equal(await put(), undefined);
      await auth('RoleRevokePermission', { role: 'own', key: bytes('more') }, root);
      assert.equal(await put(), DENIED);
      await auth('UserChangePassword', { name: 'ada', password: 'new' }, root);
      assert.equal(await put(), BAD_TOKEN);
      assert.equal((await auth('Authenticate', { name: 'ada', password: 'ada' }))['error'], '3 etcdserver: authentication failed, invalid user ID or password');
      assert.ok(await login('ada', 'new'));
    });

    it('does not let root lock itself out, nor others administrate', async (t) => {
      const { auth, login } = await secured(t, engine.start);
      const [root, ada] = [await login('root'), await login('ada')];
      const error = async (method: string, request: object, token: string) => (await auth(method, request, token))['error'];
      assert.equal(await error('UserDelete', { name: 'root' }, root), '3 etcdserver: invalid auth management');
      assert.equal(await error('UserAdd', { name: 'eve', password: 'eve' }, ada), DENIED);
      assert.equal(await error('UserGrantRole', { user: 'ada', role: 'root' }, ada), DENIED);
      assert.equal(await error('AuthDisable', {}, ada), DENIED);
      assert.deepEqual((await auth('UserGet', { name: 'ada' }, ada))['roles'], ['own']);
      assert.equal(await error('AuthDisable', {}, root), undefined);
      assert.equal(await error('Authenticate', { name: 'ada', password: 'ada' }, ''), '9 etcdserver: authentication is not enabled');
    });
  });
}

describe('where ours is stricter than etcd 3.4.23, as newer releases are', () => {
  it('looks through nested transactions and all that a transaction gives back or hangs on a lease', async (t) => {
    const { call, auth, login } = await secured(t, ours.start);
    const [root, ada] = [await login('root'), await login('ada')];
    await auth('RoleGrantPermission', { name: 'own', perm: { permType: 1, key: bytes('writeonly') } }, root);
    const { ID } = (await call('Lease', 'LeaseGrant', { TTL: '100' }, root)) as { ID: string };
    await call('KV', 'Put', { key: bytes('roots'), lease: ID }, root);
    const error = async (request: object) => (await call('KV', 'Txn', { success: [request] }, ada))['error'];
    assert.equal(await error({ request_txn: { success: [{ request_put: { key: bytes('other') } }] } }), DENIED);
    assert.equal(await error({ request_txn: { success: [{ request_range: EVERYTHING }] } }), DENIED);
    assert.equal(await error({ request_put: { key: bytes('writeonly'), prev_kv: true } }), DENIED);
    assert.equal(await error({ request_put: { key: bytes('own/x'), lease: ID } }), DENIED);
    assert.equal(await error({ request_range: { key: bytes('own/'), range_end: bytes('') } }), DENIED);
    assert.equal((await call('Lease', 'LeaseTimeToLive', { ID, keys: true }, ada))['error'], DENIED);
    assert.equal((await call('Lease', 'LeaseTimeToLive', { ID }, ada))['error'], undefined);
  });

  it('refuses to watch from a permitted key on to what is not', async (t) => {
    const { client, login } = await secured(t, ours.start);
    const stream = client.watch(await login('ada'));
    const heard = collect<WatchResponse>();
    stream.on('data', heard.push);
    stream.on('error', () => {});
    stream.write({ create_request: { key: bytes('shared'), range_end: bytes('\0') } });
    assert.equal((await heard.take(1))[0]?.canceled, true);
    stream.cancel();
  });
});

describe('logins and what is kept', () => {
  const started = (options: EtcdOptions) => () => startEtcd(options);

  it('forgets a login after the time of no use', async (t) => {
    const { call, login } = await secured(t, started({ inMemory: true, authTokenTtlMs: 1 }));
    const ada = await login('ada');
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await call('KV', 'Range', { key: bytes('shared') }, ada))['error'], BAD_TOKEN);
  });

  it('keeps users, roles and that it is on over a restart, and ends all logins', async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'etcd-auth-'));
    t.after(() => rm(dataDir, { recursive: true, force: true }));
    const first = await secured(t, started({ dataDir }));
    const before = await first.login('ada');
    await first.server.stop();
    const server = await startEtcd({ dataDir });
    const client = rawClient(server.address);
    t.after(async () => {
      client.close();
      await server.stop();
    });
    assert.equal((await client.call('KV', 'Range', { key: bytes('shared') }))['error'], NOBODY);
    assert.equal((await client.call('KV', 'Range', { key: bytes('shared') }, before))['error'], BAD_TOKEN);
    const { token } = (await client.call('Auth', 'Authenticate', { name: 'ada', password: 'ada' })) as { token: string };
    assert.equal((await client.call('KV', 'Put', { key: bytes('own/a') }, token))['error'], undefined);
    assert.equal((await client.call('KV', 'Put', { key: bytes('shared') }, token))['error'], DENIED);
  });
});

describe('etcdctl with users', { skip: missing('etcdctl') }, () => {
  it('sets them up, turns authentication on and off, and logs in', { timeout: 60_000 }, async (t) => {
    const server = await startEtcd({ inMemory: true });
    t.after(() => server.stop());
    const etcdctl = async (...args: string[]): Promise<string> => {
      const ran = await promisify(execFile)('etcdctl', ['--endpoints', server.address, ...args], { env: { ...process.env, ETCDCTL_API: '3' }, timeout: 20_000 }).catch((error: { stdout: string; stderr: string }) => error);
      return ran.stdout + ran.stderr;
    };
    const asRoot = (...args: string[]): Promise<string> => etcdctl('--user', 'root:x', ...args);
    const asAda = (...args: string[]): Promise<string> => etcdctl('--user', 'ada:y', ...args);
    assert.match(await etcdctl('user', 'add', 'root:x'), /User root created/);
    // etcdctl makes the role root by itself.
    assert.match(await asRoot('auth', 'enable'), /Authentication Enabled/);
    assert.match(await asRoot('user', 'add', 'ada:y'), /User ada created/);
    assert.match(await asRoot('role', 'add', 'own'), /Role own created/);
    assert.match(await asRoot('role', 'grant-permission', 'own', '--prefix=true', 'readwrite', 'own/'), /Role own updated/);
    assert.match(await asRoot('user', 'grant-role', 'ada', 'own'), /is granted to user ada/);
    assert.match(await asRoot('role', 'get', 'own'), /KV Write:\s+\[own\/, own0\) \(prefix own\/\)/);
    assert.match(await asRoot('user', 'get', 'ada'), /Roles: own/);
    assert.match(await asRoot('user', 'list'), /ada\nroot/);
    assert.equal(await asAda('put', 'own/a', '1'), 'OK\n');
    assert.match(await asAda('put', 'other', '1'), /permission denied/);
    assert.match(await asAda('get', '--prefix', ''), /permission denied/);
    assert.match(await etcdctl('get', 'own/a'), /user name is empty/);
    assert.match(await etcdctl('--user', 'ada:wrong', 'get', 'own/a'), /invalid user ID or password/);
    assert.match(await asRoot('endpoint', 'health'), /is healthy/);
    assert.match(await asRoot('auth', 'disable'), /Authentication Disabled/);
    assert.equal(await etcdctl('get', 'own/a'), 'own/a\n1\n');
  });
});
