import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { sleep } from '@talaria/base';
import pg from 'pg';
import { isRunning } from './lock-file.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

interface Launcher {
  readonly child: ChildProcess;
  readonly url: string;
  readonly serverPid: number;
}

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: `${url}/postgres` });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function launch(dataDir: string, ...more: string[]): Promise<Launcher> {
  const child = fork(MAIN, ['--data-dir', dataDir, ...more], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => assert.fail(`the launcher ended with ${String(code)}`));
  ended.catch(() => {});
  const [[message]] = (await Promise.race([Promise.all([once(child, 'message'), once(child.stdout!, 'data')]), ended])) as [[{ ready: boolean; url: string }], unknown];
  assert.equal(message.ready, true);
  const pid = Number((await readFile(join(dataDir, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  return { child, url: message.url, serverPid: pid };
}

async function gone(pid: number): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (!(await isRunning(pid))) return;
    await sleep(50);
  }
  assert.fail(`process ${pid} is still there`);
}

async function stop({ child, serverPid }: Launcher): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
  await gone(serverPid);
}

async function fails(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.equal(code, 1);
  return output.trim();
}

describe('the launcher', () => {
  let root: string;
  // A folder that only its owner may enter: for root, the case that needs more than another uid.
  before(async () => (root = await mkdtemp(join(tmpdir(), 'talaria-postgres-'))));
  after(() => rm(root, { recursive: true, force: true }));

  it('keeps data and port from start to start, and leaves no process behind', async () => {
    const dataDir = join(root, 'kept');
    const first = await launch(dataDir);
    await query(first.url, 'create table kept as select 42 as answer');
    await stop(first);
    assert.equal(first.child.exitCode, 0);
    const second = await launch(dataDir);
    assert.equal(second.url, first.url);
    assert.deepEqual(await query(second.url, 'select * from kept'), [{ answer: 42 }]);
    await stop(second);
  });

  it('is found as postgres, and not as root', { skip: process.platform !== 'linux' && 'reads /proc' }, async () => {
    const server = await launch(join(root, 'named'));
    const commandLine = await readFile(`/proc/${server.serverPid}/cmdline`, 'utf8');
    assert.equal(commandLine.split('\0')[0], 'postgres');
    await stop(server);
  });

  it('runs where others may enter as well as where they may not', async () => {
    const open = await mkdtemp(join(tmpdir(), 'talaria-postgres-open-'));
    await chmod(open, 0o755);
    const inTheOpen = await launch(join(open, 'pg'));
    await query(inTheOpen.url, 'create table moved as select 1 as n');
    await stop(inTheOpen);
    await chmod(open, 0o700);
    const closed = await launch(join(open, 'pg'));
    assert.deepEqual(await query(closed.url, 'select n from moved'), [{ n: 1 }]);
    await stop(closed);
    await rm(open, { recursive: true, force: true });
  });

  it('adopts the server of a launcher that was killed', async () => {
    const dataDir = join(root, 'adopted');
    const first = await launch(dataDir);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const second = await launch(dataDir);
    assert.equal(second.serverPid, first.serverPid);
    assert.equal(second.url, first.url);
    await stop(second);
  });

  it('ends with 1 when the server dies, and starts again at once on the same port without a loss', async () => {
    const dataDir = join(root, 'crashed');
    const first = await launch(dataDir);
    await query(first.url, 'create table acknowledged as select 7 as n');
    process.kill(first.serverPid, 'SIGKILL');
    const [code] = (await once(first.child, 'exit')) as [number];
    assert.equal(code, 1);
    const second = await launch(dataDir);
    assert.equal(second.url, first.url);
    assert.deepEqual(await query(second.url, 'select n from acknowledged'), [{ n: 7 }]);
    await stop(second);
  });

  it('ends with a lock file that names a process of somebody else', { skip: process.platform !== 'linux' && 'reads /proc' }, async () => {
    const dataDir = join(root, 'stale');
    const first = await launch(dataDir);
    await stop(first);
    await writeFile(join(dataDir, 'data', 'postmaster.pid'), `${process.pid}\n${dataDir}/data\n0\n5432\n\n127.0.0.1\n`);
    await stop(await launch(dataDir));
  });

  it('stops when its parent goes', async () => {
    const server = await launch(join(root, 'orphan'));
    server.child.disconnect();
    await once(server.child, 'exit');
    assert.equal(server.child.exitCode, 0);
    await gone(server.serverPid);
  });

  it('names the fix for a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const message = await fails('--data-dir', join(root, 'port'), '--port', String(port));
    other.close();
    assert.match(message, new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is taken: [^\\n]*--port[^\\n]*$`));
  });

  it('names the fix for a folder that holds something else, or data of another version', async () => {
    const foreign = join(root, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'thesis.txt'), '');
    assert.match(await fails('--data-dir', foreign), /^[^\n]*thesis\.txt[^\n]*--data-dir[^\n]*$/);
    const old = join(root, 'old');
    await mkdir(join(old, 'data'), { recursive: true });
    await writeFile(join(old, 'data', 'PG_VERSION'), '9.6\n');
    assert.match(await fails('--data-dir', old), /^[^\n]*PostgreSQL 9\.6[^\n]*--data-dir[^\n]*$/);
    assert.match(await fails(), /^--data-dir is missing[^\n]*$/);
    assert.match(await fails('--data-dir', old, '--port', 'x'), /^--port x is not a port[^\n]*$/);
  });
});
