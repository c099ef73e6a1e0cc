// The program as a supervisor and a developer run it.
import assert from 'node:assert/strict';
import { execFile, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, test } from 'node:test';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { startEtcd } from './start.ts';
import { missing } from './testing/engines.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const children = new Set<ChildProcess>();
const directories: string[] = [];
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

async function dataDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-main-'));
  directories.push(directory);
  return directory;
}

/** Starts the program and waits for its ready line. */
async function run(...args: string[]): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, [MAIN, '--listen', '127.0.0.1:0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const address = /^etcd ready on (127\.0\.0\.1:\d+)\n$/.exec(line.toString())?.[1];
  assert.ok(address, line.toString());
  return { child, address };
}

async function fails(...args: string[]): Promise<string> {
  const error = await promisify(execFile)(process.execPath, [MAIN, ...args], { timeout: 60_000 }).then(
    () => assert.fail('it did not fail'),
    (reason: { code: number; stdout: string; stderr: string }) => reason,
  );
  assert.equal(error.code, 1);
  assert.equal(error.stdout, '');
  assert.equal(error.stderr.trim().split('\n').length, 1, error.stderr);
  return error.stderr;
}

test('loses nothing acknowledged on kill -9, and keeps leases', { timeout: 60_000 }, async () => {
  const directory = await dataDir();
  const acknowledged: number[] = [];
  let next = 0;
  let lease = '';
  for (let round = 0; round < 3; round++) {
    const { child, address } = await run('--data-dir', directory);
    const client = new Etcd3({ hosts: `http://${address}` });
    if (round === 0) {
      const granted = client.lease(60, { autoKeepAlive: false });
      await granted.put('leased').value('x');
      lease = await granted.grant();
    }
    let killed = false;
    const writers = Array.from({ length: 4 }, async () => {
      while (!killed) {
        const n = next++;
        try {
          await client.put(`n/${n}`).value(String(n));
        } catch {
          return;
        }
        acknowledged.push(n);
        if (acknowledged.length === (round + 1) * 150) {
          killed = true;
          child.kill('SIGKILL');
        }
      }
    });
    await once(child, 'exit');
    client.close();
    await Promise.all(writers);
  }
  const server = await startEtcd({ dataDir: directory });
  const client = new Etcd3({ hosts: `http://${server.address}` });
  const found = await client.getAll().prefix('n/').strings();
  for (const n of acknowledged) assert.equal(found[`n/${n}`], String(n));
  const { TTL, grantedTTL, keys } = await client.leaseClient.leaseTimeToLive({ ID: lease, keys: true });
  assert.deepEqual([grantedTTL, keys.map(String)], ['60', ['leased']]);
  assert.ok(Number(TTL) > 30, `a restart gives a lease its whole TTL again; ${TTL} s are left`);
  client.close();
  await server.stop();
});

test('stops on SIGTERM with open watches, and the data can be opened at once', async () => {
  const directory = await dataDir();
  const { child, address } = await run('--data-dir', directory);
  const client = new Etcd3({ hosts: `http://${address}` });
  const watcher = await client.watch().key('k').create();
  watcher.on('error', () => {});
  await client.put('k').value('v');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  watcher.cancel().catch(() => {});
  client.close();
  const server = await startEtcd({ dataDir: directory });
  await server.stop();
});

test('tells its supervisor when it is ready, and stops when the supervisor is gone', async () => {
  const child = fork(MAIN, ['--in-memory', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.add(child);
  const [message] = (await once(child, 'message')) as [{ ready: boolean; address: string }];
  assert.equal(message.ready, true);
  assert.match(message.address, /^127\.0\.0\.1:\d+$/);
  child.disconnect();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('says in one sentence what to do about a taken port, a used data directory, and wrong arguments', async () => {
  const directory = await dataDir();
  const { child, address } = await run('--data-dir', directory);
  assert.match(await fails('--in-memory', '--listen', address), /is taken: .*--listen/);
  assert.match(await fails('--data-dir', directory, '--listen', '127.0.0.1:0'), /Another server uses the data directory .*--data-dir/);
  assert.match(await fails(), /--data-dir DIR/);
  assert.match(await fails('--in-memory', '--listen', 'nowhere'), /host:port/);
  assert.match(await fails('--bogus'), /--help/);
  child.kill('SIGTERM');
  await once(child, 'exit');
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, '--help']);
  assert.match(stdout, /--data-dir DIR/);
});

describe('etcdctl', { skip: missing('etcdctl') }, () => {
  it('puts, gets, deletes, runs a transaction and a lease, and shows status, health and members', { timeout: 60_000 }, async () => {
    const server = await startEtcd({ inMemory: true });
    const etcdctl = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await promisify(execFile)('etcdctl', ['--endpoints', server.address, ...args], { env: { ...process.env, ETCDCTL_API: '3' }, timeout: 60_000 });
      return stdout + stderr;
    };
    try {
      assert.equal(await etcdctl('put', 'a', '1'), 'OK\n');
      assert.equal(await etcdctl('get', '--prefix', ''), 'a\n1\n');
      const lease = /lease (\w+) granted/.exec(await etcdctl('lease', 'grant', '30'))?.[1] as string;
      assert.equal(await etcdctl('put', '--lease', lease, 'b', '2'), 'OK\n');
      assert.match(await etcdctl('lease', 'timetolive', '--keys', lease), /attached keys\(\[b\]\)/);
      assert.match(await etcdctl('lease', 'keep-alive', '--once', lease), /keepalived with TTL\(30\)/);
      assert.match(await etcdctl('lease', 'list'), new RegExp(lease));
      assert.match(await etcdctl('lease', 'revoke', lease), /revoked/);
      assert.equal(await etcdctl('get', '--prefix', '', '--keys-only', '--print-value-only=false'), 'a\n\n');
      assert.equal(await etcdctl('del', 'a'), '1\n');
      assert.match(await etcdctl('compaction', '3'), /compacted revision 3/);
      assert.match(await etcdctl('endpoint', 'status'), /3\.4/);
      assert.match(await etcdctl('endpoint', 'health'), /is healthy/);
      assert.match(await etcdctl('member', 'list'), new RegExp(server.address));
      assert.match(await etcdctl('alarm', 'list'), /^$/);
      assert.match(await etcdctl('defrag'), /Finished/);
      assert.equal(await etcdctl('lock', 'l', 'echo', 'held'), 'held\n');
    } finally {
      await server.stop();
    }
  });
});
