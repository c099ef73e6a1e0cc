import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { startEtcd } from '@talaria/etcd-server';
import { bundle } from './bundle.ts';

describe('bundle', () => {
  it('makes one file that runs far from node_modules, etcd client and all', async (t) => {
    // Below this package, so that its imports are found.
    const cache = join(import.meta.dirname, '../node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'bundle-'));
    const elsewhere = mkdtempSync(join(tmpdir(), 'talaria-bundle-'));
    t.after(() => {
      rmSync(folder, { recursive: true, force: true });
      rmSync(elsewhere, { recursive: true, force: true });
    });
    mkdirSync(join(folder, 'src'));
    // Needs the service definitions of etcd's proto file, and every digit of a lease's id.
    writeFileSync(
      join(folder, 'src/main.ts'),
      `import { Etcd3 } from 'etcd3';
       import pg from 'pg';
       const etcd = new Etcd3({ hosts: process.argv[2] as string });
       const leases = await Promise.all([1, 2, 3].map(async () => {
         const lease = etcd.lease(10);
         const id = await lease.grant();
         await etcd.kv.put({ key: Buffer.from(id), value: Buffer.from('kept'), lease: id });
         return etcd.get(id).string();
       }));
       console.log(JSON.stringify({ leases, pool: typeof pg.Pool, url: import.meta.url.endsWith('main.js') }));
       process.exit();`,
    );
    await bundle(folder);
    assert.ok(existsSync(join(folder, 'dist/main.js.map')));
    cpSync(join(folder, 'dist'), elsewhere, { recursive: true });
    writeFileSync(join(elsewhere, 'package.json'), '{"type":"module"}');

    const etcd = await startEtcd();
    t.after(() => etcd.stop());
    const { stdout } = await promisify(execFile)(process.execPath, ['main.js', etcd.address], { cwd: elsewhere, timeout: 20_000 });
    assert.deepEqual(JSON.parse(stdout), { leases: ['kept', 'kept', 'kept'], pool: 'function', url: true });
  });
});
