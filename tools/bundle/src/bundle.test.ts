import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { startEtcd } from '@talaria/etcd-server';
import { bundle } from './bundle.ts';
import { bundleContents } from './contents.ts';

/** An app of these sources, below this package, so that its imports are found; and a folder far from everything. */
function makeApp(t: TestContext, sources: Readonly<Record<string, string>>): { readonly folder: string; readonly elsewhere: string } {
  const cache = join(import.meta.dirname, '../node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'bundle-'));
  const elsewhere = mkdtempSync(join(tmpdir(), 'talaria-bundle-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(elsewhere, { recursive: true, force: true });
  });
  mkdirSync(join(folder, 'src'));
  for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, 'src', name), source);
  writeFileSync(join(elsewhere, 'package.json'), '{"type":"module"}');
  return { folder, elsewhere };
}

describe('bundle', () => {
  it('makes a folder that runs far from node_modules, etcd client and all', async (t) => {
    // Needs the service definitions of etcd's proto file, and every digit of a lease's id.
    const { folder, elsewhere } = makeApp(t, {
      'main.ts': `import { Etcd3 } from 'etcd3';
       import pg from 'pg';
       const etcd = new Etcd3({ hosts: process.argv[2] as string });
       const leases = await Promise.all([1, 2, 3].map(async () => {
         const lease = etcd.lease(10);
         const id = await lease.grant();
         await etcd.kv.put({ key: Buffer.from(id), value: Buffer.from('kept'), lease: id });
         return etcd.get(id).string();
       }));
       console.log(JSON.stringify({ leases, pool: typeof pg.Pool, arguments: process.argv.length }));
       process.exit();`,
    });
    await bundle(folder);
    cpSync(join(folder, 'dist'), elsewhere, { recursive: true });

    const etcd = await startEtcd();
    t.after(() => etcd.stop());
    const { stdout } = await promisify(execFile)(process.execPath, ['main.js', etcd.address], { cwd: elsewhere, timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout), { leases: ['kept', 'kept', 'kept'], pool: 'function', arguments: 3 });
  });

  it('names the lines of the sources in stack traces: of errors that are caught, of their causes, and of those that end the program', async (t) => {
    const { folder } = makeApp(t, {
      'main.ts': `import { outer } from './outer.ts';
        interface Padding { readonly line: number }

        await outer().catch((error: Error & Partial<Padding>) => console.log(JSON.stringify({ stack: error.stack, cause: (error.cause as Error).stack })));
        const { late } = await import('./late.ts');
        late();`,
      'outer.ts': `import pg from 'pg';
        export async function outer(): Promise<void> {
          await Promise.resolve();
          try {
            inner(new pg.Pool() as never as string);
          } catch (cause) {
            throw new Error('outer failed', { cause });
          }
        }

        function inner(text: string): string {
          return text.slice(1);
        }`,
      'late.ts': `type Unused = string;

        export function late(): never {
          throw new TypeError('late failed');
        }`,
    });
    await bundle(folder);
    // Without the sources: positions are all that is needed.
    rmSync(join(folder, 'src'), { recursive: true });
    for (const flags of [[], ['--enable-source-maps']]) {
      const run = promisify(execFile)(process.execPath, [...flags, join(folder, 'dist/main.js')], { timeout: 60_000 });
      const failure = (await run.catch((error: unknown) => error)) as { readonly code: number; readonly stdout: string; readonly stderr: string };
      const { stack, cause } = JSON.parse(failure.stdout) as { readonly stack: string; readonly cause: string };
      assert.match(stack, /^Error: outer failed\n +at outer \(.*src\/outer\.ts:7:19\)/);
      assert.match(stack, /src\/main\.ts:4:9/);
      assert.match(cause, /^TypeError: .*\n +at inner \(.*src\/outer\.ts:12:23\)\n +at outer \(.*src\/outer\.ts:5:13\)/);
      assert.equal(failure.code, 1);
      assert.match(failure.stderr, /TypeError: late failed\n +at late \(.*src\/late\.ts:4:17\)\n +at .*src\/main\.ts:6:9/);
    }
  });

  it('reads at the start only what every start needs', { timeout: 60_000 }, async () => {
    const folder = join(import.meta.dirname, '../../../apps/account-service');
    const metafile = await bundle(folder, { write: false });
    const { eager, lazy } = bundleContents(metafile);
    const unused = /^(undici|ipaddr\.js|pino.*|sonic-boom|@opentelemetry\/(exporter|otlp|sdk|resources).*|@bufbuild\/(cel|re2|protovalidate).*|libs\/(http|messaging|testing)|apps\/(?!account-service).*|tools\/.*)$/;
    assert.deepEqual([...eager.keys()].filter((name) => unused.test(name)), []);
    for (const name of ['@bufbuild/protovalidate', '@opentelemetry/sdk-trace']) assert.ok(lazy.has(name), name);
    for (const name of ['apps/account-service', 'libs/storage', 'pg', '@grpc/grpc-js']) assert.ok(eager.has(name), name);
    // A bundler does not see it, and what it finds at run time is another copy of a package, or none.
    const own = Object.keys(metafile.inputs).filter((file) => /(^|\/)(libs|apps)\/[^:]*\.ts$/.test(file));
    assert.ok(own.length > 100);
    assert.deepEqual(own.filter((file) => readFileSync(file, 'utf8').includes('createRequire(')), []);
    // It takes 2.0 MB: a large dependency more, one that comes twice or the fifty languages of zod would show here.
    const bytes = [...eager.values()].reduce((sum, each) => sum + each, 0);
    assert.ok(bytes < 2_500_000, `${bytes} bytes: ${JSON.stringify(Object.fromEntries(eager))}`);
  });

  it('leaves out of each app what only other apps use', { timeout: 60_000 }, async () => {
    const eagerIn = async (app: string): Promise<ReadonlySet<string>> => new Set(bundleContents(await bundle(join(import.meta.dirname, '../../../apps', app), { write: false })).eager.keys());
    const [gateway, webhooks] = await Promise.all([eagerIn('api-gateway'), eagerIn('webhook-service')]);
    assert.ok(gateway.has('libs/http') && webhooks.has('libs/http'));
    assert.deepEqual(['undici', 'pg', 'kysely', 'libs/storage', 'libs/messaging', 'libs/testing'].filter((name) => gateway.has(name)), []);
    // It is read for the first delivery.
    assert.deepEqual(['undici', 'libs/testing', 'apps/api-gateway'].filter((name) => webhooks.has(name)), []);
  });
});
