import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '@talaria/testing';
import { eventually } from './harness.ts';
import { ROOT, run } from './run.ts';

const LIMIT_MS = 1_200_000;
const timeout = { timeout: LIMIT_MS };

/** What a person types, in this order. */
const COMMANDS = [
  'service invoice',
  'service person --plural=people --public=false',
  'method invoice.v1.InvoiceService/VoidInvoice',
  'method person.v1.PersonService/MergePeople',
  'api invoice',
  'api person --plural=people',
  'event invoice.created',
  'event invoice.deleted --subscriber=person-service',
  'event person.updated',
  'checker backlog --project=invoice-service',
  'checker rates --project=invoice-api --url=https://example.com/health',
];
const PROJECTS = ['contracts', 'invoice-service', 'person-service', 'invoice-api', 'person-api'];

/** A copy of the checkout, as it is, with all that is installed: nothing here touches the checkout itself. */
let copy = '';
const inCopy = (command: string, ...args: readonly string[]): Promise<string> => run(command, args, { cwd: copy, limitMs: LIMIT_MS, env: { NODE_TEST_CONTEXT: undefined, FORCE_COLOR: '0' } });
const generate = (command: string): Promise<string> => inCopy('npx', 'nx', 'g', ...command.split(' '));
const status = (): Promise<string> => inCopy('git', 'status', '--short', '--untracked-files=all');

before(async () => {
  copy = await realpath(await mkdtemp(join(tmpdir(), 'generators-')));
  // PostgreSQL refuses to run as root, and runs as somebody who has to get here.
  await chmod(copy, 0o755);
  const files = (await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'])).split('\0').filter((file) => file !== '');
  for (const file of files) {
    await mkdir(join(copy, dirname(file)), { recursive: true });
    await cp(join(ROOT, file), join(copy, file), { verbatimSymlinks: true }).catch((error: NodeJS.ErrnoException) => {
      // Deleted, and not yet committed.
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await cp(join(ROOT, 'node_modules'), join(copy, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  await inCopy('npm', 'run', '--silent', 'generate');
  const git = (...args: readonly string[]): Promise<string> => inCopy('git', '-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args);
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'as it is');
}, timeout);
after(() => rm(copy, { recursive: true, force: true, maxRetries: 5 }), timeout);

test('a dry run, a refusal and a failure leave nothing behind', timeout, async () => {
  assert.match(await generate('service invoice --dry-run'), /CREATE apps\/invoice-service\/src\/main\.ts/);
  await assert.rejects(generate('service account'), /apps\/account-service is there already: choose another name/);
  assert.equal(await status(), '');
  await mkdir(join(copy, 'proto/bad'));
  await writeFile(join(copy, 'proto/bad/bad.proto'), 'syntax = "proto3"; package bad; message {\n');
  await assert.rejects(generate('service invoice'), /Nothing was changed, as Generating the contracts failed: [^]*bad\.proto/);
  await rm(join(copy, 'proto/bad'), { recursive: true });
  assert.equal(await status(), '');
});

test('what is generated lints, typechecks, passes its tests and builds', timeout, async () => {
  for (const command of COMMANDS) await generate(command);
  await inCopy('npx', 'nx', 'run-many', '-t', 'lint', 'typecheck', 'test', 'build', '-p', PROJECTS.join(','));
  for (const app of ['invoice-service', 'person-service', 'invoice-api', 'person-api']) {
    const main = await readFile(join(copy, 'apps', app, 'src/main.ts'), 'utf8');
    assert.ok(main.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length <= 15, main);
  }
});

test('and is served: through the gateway, with a token of the development client', timeout, async () => {
  // Engines of its own: what earlier runs left in others would be listed too.
  const { DATABASE_URL: _database, ETCD_ENDPOINTS: _etcd, TALARIA_STATE_DIR: _state, ...inherited } = process.env;
  const env = { ...inherited, PORT: String(await freePort()) };
  const served = spawn(process.execPath, ['tools/serve/src/main.ts', 'invoice-api'], { cwd: copy, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => served.once('exit', resolve));
  let output = '';
  for (const stream of [served.stdout, served.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    await eventually(() => /invoice-api is ready (at|after)/.test(output) || served.exitCode !== null, { limitMs: 300_000 });
    assert.equal(served.exitCode, null, output);
    const { gateway } = JSON.parse(await readFile(join(copy, '.talaria/platform.json'), 'utf8')) as { gateway: string };
    const form = (fields: Record<string, string>): RequestInit => ({ method: 'POST', body: new URLSearchParams(fields) });
    const { access_token: token } = (await (await fetch(`${gateway}/oauth2/token`, form({ grant_type: 'client_credentials', client_id: 'dev', client_secret: 'dev-secret' }))).json()) as { access_token: string };
    const headers = { authorization: `Bearer ${token}` };
    const ask = async (path: string, init: RequestInit = {}): Promise<[number, Record<string, unknown>]> => {
      const answer = await fetch(gateway + path, { ...init, headers: { ...headers, ...init.headers } });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };
    const json = (method: string, body: object): RequestInit => ({ method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

    const [created, { invoice }] = await ask('/api/invoices', form({ title: 'First' }));
    assert.equal(created, 200, output);
    const { id } = invoice as { id: string };
    assert.equal((await ask('/invoices', form({ title: 'Second' })))[0], 200);
    const [, first] = await ask('/invoices?page_size=1');
    assert.equal((first['invoices'] as { id: string }[])[0]?.id, id);
    const [, second] = await ask(`/api/invoices?page_size=1&page_token=${String(first['next_page_token'])}`);
    assert.deepEqual([(second['invoices'] as { title: string }[]).map(({ title }) => title), second['next_page_token']], [['Second'], '']);
    const [, changed] = await ask(`/api/invoices/${id}?update_mask=title`, json('PATCH', { title: 'Changed', description: 'not named' }));
    assert.deepEqual([(changed['invoice'] as { title: string }).title, (changed['invoice'] as { description: string }).description], ['Changed', '']);
    assert.deepEqual((await ask(`/invoices/${id}?update_mask=owner`, json('PATCH', {})))[1]['code'], 'bad_request.invalid_param');
    assert.deepEqual((await ask(`/api/invoices/${id}:void`, json('POST', {})))[1]['code'], 'unimplemented.void_invoice');
    assert.equal((await ask(`/api/invoices/${id}`, { method: 'DELETE' }))[0], 200);
    assert.equal((await ask(`/invoices/${id}`))[1]['code'], 'not_found.invoice');
    await eventually(() => /invoice\.created arrived/.test(output), { limitMs: 60_000 });
  } finally {
    served.kill('SIGTERM');
    await exited;
  }
});
