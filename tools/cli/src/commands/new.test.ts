import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const MAIN = join(import.meta.dirname, '../main.ts');
const REPOSITORY = join(import.meta.dirname, '../../../..');
const readManifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, Record<string, string>> & { version: string };

const temporary: string[] = [];
after(() => temporary.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** An empty folder, and what is first in PATH there: `npm` does what the shell script says. */
function place(npm = 'echo "$@" >npm-arguments; touch package-lock.json; mkdir node_modules'): { readonly folder: string; readonly env: NodeJS.ProcessEnv } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'talaria-new-')));
  const bin = realpathSync(mkdtempSync(join(tmpdir(), 'talaria-new-bin-')));
  temporary.push(folder, bin);
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\nif [ "$1" = --version ]; then echo 11.0.0; exit; fi\n${npm}\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  return { folder, env: { PATH: `${bin}${delimiter}${process.env['PATH']}`, NODE_ENV: 'production', GIT_CEILING_DIRECTORIES: tmpdir() } };
}

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

function talaria(args: readonly string[], { folder, env }: { readonly folder: string; readonly env: NodeJS.ProcessEnv }): Run {
  const child = spawn(process.execPath, [MAIN, 'new', ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 180_000 });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err }))) };
}

describe('talaria new', { concurrency: 4 }, () => {
  it('makes a workspace, installs it, makes it a repository and says what to do next', async () => {
    const where = place();
    const { code, out, err } = await talaria(['shop'], where).ended;
    assert.equal(code, 0, err);
    const shop = join(where.folder, 'shop');
    assert.deepEqual(readdirSync(where.folder), ['shop']);
    for (const file of ['.git', 'apps', '.gitignore', '.npmrc', 'README.md', 'buf.yaml', 'eslint.config.js', 'libs', 'nx.json', 'package-lock.json', 'proto', 'tsconfig.base.json']) {
      assert.ok(existsSync(join(shop, file)), file);
    }
    assert.match(readFileSync(join(shop, 'npm-arguments'), 'utf8'), /^install --include=dev/);
    assert.match(out, /cd shop\n.*npx nx g service invoice.*\n.*npx nx serve invoice-service/);
    assert.equal(readManifest(join(shop, 'libs/contracts'))['name'], '@shop/contracts');
  });

  it('pins Talaria to its own version, and the tools to those of this repository', async () => {
    const where = place();
    await talaria(['shop'], where).ended;
    const manifest = readManifest(join(where.folder, 'shop'));
    const root = readManifest(REPOSITORY);
    const { version } = readManifest(join(REPOSITORY, 'tools/cli'));
    for (const [name, pinned] of Object.entries(manifest['devDependencies'] ?? {})) {
      assert.equal(pinned, name.startsWith('@talaria/') ? version : root['devDependencies']?.[name], name);
    }
    assert.deepEqual(manifest['optionalDependencies'], root['optionalDependencies']);
    const generated = readManifest(join(where.folder, 'shop/libs/contracts'))['dependencies'] ?? {};
    const ours = readManifest(join(REPOSITORY, 'libs/contracts'))['dependencies'] ?? {};
    for (const [name, pinned] of Object.entries(generated)) assert.equal(pinned, ours[name], name);
    assert.deepEqual(
      JSON.parse(readFileSync(join(where.folder, 'shop/tsconfig.base.json'), 'utf8')),
      JSON.parse(readFileSync(join(REPOSITORY, 'tsconfig.base.json'), 'utf8')),
    );
  });

  it('uses the current folder for ".", even a fresh clone', async () => {
    const where = place();
    const folder = join(where.folder, 'corner-shop');
    mkdirSync(join(folder, '.git'), { recursive: true });
    const { code, out } = await talaria(['.'], { ...where, folder }).ended;
    assert.equal(code, 0);
    assert.equal(readManifest(folder)['name'], 'corner-shop');
    assert.doesNotMatch(out, /\bcd\b/);
  });

  it('writes nothing with --dry-run', async () => {
    const where = place();
    const { code, out } = await talaria(['shop', '--dry-run'], where).ended;
    assert.equal(code, 0);
    assert.match(out, /CREATE shop\/package\.json\n/);
    assert.match(out, /nothing was written/);
    assert.deepEqual(readdirSync(where.folder), []);
  });

  it('refuses a name that cannot be one, and proposes one that can', async () => {
    const where = place();
    for (const [name, proposal] of [['My Shop', 'my-shop'], ['../shop', 'shop'], ['2nd-shop', 'nd-shop'], ['shop-', 'shop'], ['', 'shop'], ['ä', 'shop'], ['x'.repeat(51), 'x'.repeat(50)]] as const) {
      const { code, err } = await talaria([name], where).ended;
      assert.equal(code, 2, name);
      assert.match(err, new RegExp(`^talaria: A workspace cannot be called "${name.replace(/\W/g, '.')}": .*such as talaria new ${proposal}\\.\n$`));
    }
    assert.match((await talaria(['talaria'], where).ended).err, /^talaria: .*"talaria", which others use: choose another name.*\n$/);
    assert.deepEqual(readdirSync(where.folder), []);
  });

  it('refuses a folder with something in it, and a file', async () => {
    const where = place();
    mkdirSync(join(where.folder, 'shop'));
    writeFileSync(join(where.folder, 'shop/notes.txt'), '');
    writeFileSync(join(where.folder, 'inn'), '');
    assert.match((await talaria(['shop'], where).ended).err, /^talaria: .*shop is not empty \(it has notes\.txt\): .*\n$/);
    assert.match((await talaria(['inn'], where).ended).err, /^talaria: There is a file called inn here: .*\n$/);
    assert.deepEqual(readdirSync(join(where.folder, 'shop')), ['notes.txt']);
  });

  it('leaves nothing behind when npm fails, and shows what npm said', async () => {
    const where = place('mkdir node_modules; echo "ERR! the disk is full" >&2; exit 7');
    const { code, err } = await talaria(['shop'], where).ended;
    assert.equal(code, 1);
    assert.match(err, /^talaria: npm install failed, so nothing was left behind; .*\n +ERR! the disk is full\n$/);
    assert.deepEqual(readdirSync(where.folder), []);

    const folder = join(where.folder, 'clone');
    mkdirSync(join(folder, '.git'), { recursive: true });
    assert.equal((await talaria(['.'], { ...where, folder }).ended).code, 1);
    assert.deepEqual(readdirSync(folder), ['.git']);
  });

  it('says so when npm is missing', async () => {
    const where = place();
    const { code, err } = await talaria(['shop'], { ...where, env: { ...where.env, PATH: where.folder } }).ended;
    assert.equal(code, 1);
    assert.match(err, /^talaria: npm is missing, .*\n$/);
    assert.deepEqual(readdirSync(where.folder), []);
  });

  it('stops npm and leaves nothing behind when it is stopped', async () => {
    const where = place('echo $$ >../pid.new; mv ../pid.new ../pid; while :; do touch file-of-npm; sleep 0.01; done');
    const { child, ended } = talaria(['shop'], where);
    const note = join(where.folder, 'pid');
    for (const limit = performance.now() + 90_000; !existsSync(note) && performance.now() < limit; ) await delay(20);
    const npm = Number(readFileSync(note, 'utf8'));
    child.kill('SIGINT');
    child.kill('SIGINT');
    const { code, err } = await ended;
    assert.equal(code, 130);
    assert.equal(err, 'talaria: Stopped: nothing was left behind.\n');
    assert.deepEqual(readdirSync(where.folder), ['pid']);
    assert.throws(() => process.kill(npm, 0), { code: 'ESRCH' });
  });
});
