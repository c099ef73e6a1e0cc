import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePort } from './ports.ts';
import { isAlive } from './process-identity.ts';
import { fakeWorkspace, until, type FakeWorkspace, type Served } from './testing/fake-workspace.ts';

/** A workspace that is served and ready. */
async function ready(app: string, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Promise<{ workspace: FakeWorkspace; served: Served } & AsyncDisposable> {
  const workspace = fakeWorkspace();
  const served = workspace.serve(app, { PORT: String(await freePort()), ...env }, args);
  await until('ready', () => served.output().includes('is ready'), served.output);
  // With a gateway, ready is what that says, and the one here does not ask the others.
  if (app === 'whole') await until('all run', () => alive(workspace, ...EVERYTHING).length === EVERYTHING.length, served.output);
  return { workspace, served, [Symbol.asyncDispose]: () => workspace.remove() };
}

const alive = (workspace: FakeWorkspace, ...names: string[]): number[] => names.flatMap((name) => workspace.pidsOf(name)).filter(isAlive);
const EVERYTHING = ['etcd', 'postgres', 'api-gateway', 'alpha', 'beta', 'whole'];

describe('a supervisor', { concurrency: 3 }, () => {
  it('serves an app with all that it needs, and stops apps before engines', async () => {
    await using it = await ready('whole', { LOG_LEVEL: 'debug' });
    const { workspace, served } = it;
    assert.match(served.output(), /is ready at http:\/\/localhost:\d+/);

    const gateway = workspace.envOf('api-gateway');
    assert.equal(gateway['TALARIA_READY_CONTRACTS'], 'beta.v1.Beta,beta.v1.More,alpha.v1.Alpha');
    assert.equal(gateway['TALARIA_SUPERVISED'], '1');
    assert.equal(gateway['LOG_FORMAT'], 'json');
    assert.equal(gateway['LOG_LEVEL'], 'debug');
    const alpha = workspace.envOf('alpha');
    assert.equal(alpha['PORT'], undefined);
    assert.match(alpha['ETCD_ENDPOINTS'] ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.match(alpha['DATABASE_URL'] ?? '', /^postgres:\/\/me@127\.0\.0\.1:\d+$/);
    assert.equal(alpha['TALARIA_SERVICE_KEY_FILE'], join(workspace.root, '.talaria/keys/service.alpha.jwk'));
    assert.equal(statSync(alpha['TALARIA_SERVICE_KEY_FILE']).mode & 0o777, 0o600);
    assert.equal(statSync(join(workspace.root, '.talaria/keys')).mode & 0o777, 0o700);
    const set = JSON.parse(workspace.read('.talaria/keys/services.jwks.json')) as { keys: { kid: string; d?: string }[] };
    assert.deepEqual(set.keys.map(({ kid }) => kid.split('#')[0]).sort(), ['api', 'service.alpha', 'service.beta', 'talaria.cli', 'whole']);
    assert.ok(set.keys.every(({ d }) => d === undefined), 'no private key in the public set');
    const platform = JSON.parse(workspace.read('.talaria/platform.json')) as Record<string, unknown>;
    assert.equal(platform['pid'], workspace.supervisor());
    assert.deepEqual((platform['services'] as Record<string, unknown>)['service.alpha'], ['alpha.v1.Alpha']);
    assert.equal(platform['etcd_endpoints'], alpha['ETCD_ENDPOINTS']);
    assert.equal(platform['database_url'], alpha['DATABASE_URL']);
    assert.equal(platform['gateway'], `http://localhost:${gateway['PORT']}`);

    served.process.kill('SIGINT');
    assert.equal(await served.exited, 0);
    assert.deepEqual(alive(workspace, ...EVERYTHING), []);
    assert.equal(workspace.read('.talaria/platform.json'), '');
    const stops = workspace.read('log/stops').split('\n').filter(Boolean);
    assert.deepEqual(stops.slice(-2).sort(), ['etcd', 'postgres']);
    assert.equal(stops.length, EVERYTHING.length);
  });

  it('starts a killed process again, engines too, on the same ports', async () => {
    await using it = await ready('alpha');
    const { workspace, served } = it;
    const before = workspace.envOf('alpha');
    for (const name of ['alpha', 'etcd', 'postgres', 'alpha']) {
      const count = workspace.pidsOf(name).length;
      process.kill(workspace.pidsOf(name).at(-1) ?? -1, 'SIGKILL');
      await until(`${name} is back`, () => workspace.pidsOf(name).length === count + 1 && alive(workspace, name).length === 1, served.output);
    }
    const after = workspace.envOf('alpha');
    assert.equal(after['ETCD_ENDPOINTS'], before['ETCD_ENDPOINTS']);
    assert.equal(after['DATABASE_URL'], before['DATABASE_URL']);
    assert.equal(workspace.pidsOf('beta').length, 1, 'nothing else was restarted');
    assert.match(served.output(), /alpha was ended by SIGKILL; it starts again in 0\.1 s/);
  });

  it('backs off from a program that keeps failing, and takes it up at once when it is mended', async () => {
    await using it = await ready('beta');
    const { workspace, served } = it;
    const sound = workspace.read('apps/beta/src/main.ts');
    workspace.write('apps/beta/src/main.ts', 'throw new Error("broken on purpose")');
    await until('it backs off', () => /beta ended with exit code 1; it starts again in 0\.4 s/.test(served.output()), served.output);
    assert.match(served.output(), /in 0\.1 s[^]*in 0\.2 s[^]*in 0\.4 s/);
    assert.match(served.output(), /beta +\| .*broken on purpose/);
    workspace.write('apps/beta/src/main.ts', sound);
    await until('it runs', () => workspace.pidsOf('beta').length === 2 && alive(workspace, 'beta').length === 1, served.output);
  });

  it('restarts what uses a changed source, and nothing else', async () => {
    await using it = await ready('whole');
    const { workspace, served } = it;
    workspace.write('libs/shared/src/shared.ts', `export const shared = 2;`);
    await until('alpha has it', () => served.output().includes('shared is 2') && alive(workspace, 'alpha').length === 1, served.output);
    workspace.write('apps/beta/src/new.ts', 'export {};');
    workspace.write('apps/beta/src/main.ts', `import './new.ts';\n${workspace.read('apps/beta/src/main.ts')}`);
    await until('beta restarted', () => workspace.pidsOf('beta').length === 2, served.output);
    workspace.write('apps/beta/src/main.test.ts', 'export {};');
    workspace.write('tools/etcd/src/main.ts', `${workspace.read('tools/etcd/src/main.ts')}\n// changed`);
    await until('etcd restarted', () => workspace.pidsOf('etcd').length === 2 && alive(workspace, 'etcd').length === 1, served.output);
    assert.equal(workspace.pidsOf('alpha').length, 2);
    assert.equal(workspace.pidsOf('beta').length, 2);
    assert.equal(workspace.pidsOf('api-gateway').length, 1);
  });

  it('runs several instances, and brings back the one that dies', async () => {
    await using it = await ready('alpha', {}, ['--instances=3']);
    const { workspace, served } = it;
    assert.match(served.output(), /alpha is ready after [\d.]+ s: alpha in 3 instances\./);
    for (const name of ['alpha#1', 'alpha#2', 'alpha#3']) assert.match(served.output(), new RegExp(`${name} +\\| alpha runs`));
    assert.deepEqual((JSON.parse(workspace.read('.talaria/platform.json')) as { instances: unknown }).instances, { beta: 1, alpha: 3 });
    const pids = workspace.pidsOf('alpha');
    const folders = pids.map((pid) => workspace.envOfProcess('alpha', pid)['TALARIA_STATE_DIR']);
    assert.equal(new Set(folders).size, 3, 'each has a state directory of its own');
    process.kill(pids[1] ?? -1, 'SIGKILL');
    await until('it is back', () => workspace.pidsOf('alpha').length === 4 && alive(workspace, 'alpha').length === 3, served.output);
    assert.match(served.output(), /alpha#[123] was ended by SIGKILL; it starts again in 0\.1 s/);
    served.process.kill('SIGTERM');
    assert.equal(await served.exited, 0);
    assert.deepEqual(alive(workspace, ...EVERYTHING), []);
  });

  it('restarts several instances one by one, and stops at one that does not come back', async () => {
    await using it = await ready('beta', {}, ['--instances', '3']);
    const { workspace, served } = it;
    const noting = `import { appendFileSync } from 'node:fs';\nimport { program } from '@fake/program';\nprocess.on('exit', () => appendFileSync('log/walk', 'down '));\nappendFileSync('log/walk', 'up ');\nprogram('beta');\n`;
    workspace.write('apps/beta/src/main.ts', noting);
    await until('all restarted', () => workspace.pidsOf('beta').length === 6 && alive(workspace, 'beta').length === 3, served.output);
    workspace.write('apps/beta/src/main.ts', `// again\n${noting}`);
    await until('all restarted again', () => workspace.pidsOf('beta').length === 9 && alive(workspace, 'beta').length === 3, served.output);
    assert.equal(workspace.read('log/walk'), 'up up up down up down up down up ');

    workspace.write('apps/beta/src/main.ts', 'throw new Error("broken on purpose")');
    await until('it says so', () => served.output().includes('The other instances of beta go on as they are until beta#1 works.'), served.output);
    await until('it has tried again', () => /beta#1 ended with exit code 1; it starts again in 0\.4 s/.test(served.output()), served.output);
    assert.equal(alive(workspace, 'beta').length, 2);
    assert.equal(workspace.read('log/walk'), 'up up up down up down up down up down ');
    workspace.write('apps/beta/src/main.ts', `// mended\n${noting}`);
    await until('all have it', () => workspace.pidsOf('beta').length === 12 && alive(workspace, 'beta').length === 3, served.output);
    assert.equal(workspace.read('log/walk'), 'up up up down up down up down up down up down up down up ');
  });

  it('generates first when a contract changes, and keeps the old code when that fails', async () => {
    await using it = await ready('alpha');
    const { workspace, served } = it;
    workspace.write('proto/alpha.proto', 'broken');
    await until('it says so', () => served.output().includes('Generating failed'), served.output);
    assert.match(served.output(), /generate \| alpha\.proto:1:1: syntax error/);
    assert.equal(workspace.pidsOf('alpha').length, 1);
    assert.match(workspace.read('libs/contracts/gen/alpha.ts'), /first/);
    workspace.write('proto/alpha.proto', 'second');
    await until('alpha has it', () => served.output().includes('contract is second'), served.output);
    await until('alpha runs', () => alive(workspace, 'alpha').length === 1, served.output);
    assert.equal(workspace.pidsOf('beta').length, 1, 'beta does not use the contract');
  });

  it('leaves nothing behind when it is killed itself, and starts cleanly afterwards', async () => {
    await using it = await ready('whole');
    const { workspace, served } = it;
    const environment = workspace.envOf('alpha');
    process.kill(workspace.supervisor(), 'SIGKILL');
    assert.equal(await served.exited, 1);
    const again = workspace.serve('whole', { PORT: environment['PORT'] ?? workspace.envOf('api-gateway')['PORT'] });
    await until('ready again', () => again.output().includes('is ready'), again.output);
    await until('one process of each runs', () => alive(workspace, ...EVERYTHING).length === EVERYTHING.length, again.output);
    assert.equal(workspace.envOf('alpha')['ETCD_ENDPOINTS'], environment['ETCD_ENDPOINTS']);
    again.process.kill('SIGTERM');
    assert.equal(await again.exited, 0);
    assert.deepEqual(alive(workspace, ...EVERYTHING), []);
  });

  it('stops in order when whoever started it is killed', async () => {
    await using it = await ready('alpha');
    const { workspace, served } = it;
    served.process.kill('SIGKILL');
    await until('all is gone', () => alive(workspace, ...EVERYTHING).length === 0 && workspace.read('.talaria/serve.lock') === '', served.output);
    assert.deepEqual(workspace.read('log/stops').trim().split('\n').slice(-2).sort(), ['etcd', 'postgres']);
  });

  it('is stopped by a signal of its own, too', async () => {
    await using it = await ready('beta');
    process.kill(it.workspace.supervisor(), 'SIGTERM');
    assert.equal(await it.served.exited, 0);
    assert.deepEqual(alive(it.workspace, ...EVERYTHING), []);
  });

  it('stops what does not want to stop', async () => {
    const workspace = fakeWorkspace();
    after(() => workspace.remove());
    workspace.write('apps/beta/src/main.ts', `import { program } from '@fake/program';\nprogram('beta');\nprocess.removeAllListeners('SIGTERM');\nprocess.on('SIGTERM', () => {});\n`);
    const served = workspace.serve('beta');
    await until('ready', () => served.output().includes('is ready'), served.output);
    served.process.kill('SIGTERM');
    assert.equal(await served.exited, 0);
    assert.match(served.output(), /beta did not stop within 6\.5 s and is killed/);
    assert.deepEqual(alive(workspace, ...EVERYTHING), []);
  });

  it('uses the engines that the environment names', async () => {
    await using it = await ready('alpha', { ETCD_ENDPOINTS: 'http://127.0.0.1:1', DATABASE_URL: 'postgres://there' });
    assert.deepEqual(it.workspace.pidsOf('etcd'), []);
    assert.deepEqual(it.workspace.pidsOf('postgres'), []);
    assert.equal(it.workspace.envOf('alpha')['ETCD_ENDPOINTS'], 'http://127.0.0.1:1');
    assert.equal(it.workspace.envOf('alpha')['DATABASE_URL'], 'postgres://there');
  });

  it('needs no database for apps that keep no data', async () => {
    await using it = await ready('beta');
    assert.deepEqual(it.workspace.pidsOf('postgres'), []);
  });
});

describe('before anything starts, one sentence says what to do about', { concurrency: 3 }, () => {
  /** What it says when it refuses. */
  const refusal = async (workspace: FakeWorkspace, app: string, env: NodeJS.ProcessEnv, args: readonly string[] = []): Promise<string> => {
    const served = workspace.serve(app, env, args);
    assert.equal(await served.exited, 1);
    return served.output();
  };

  it('a busy port, on either version of IP', async (t) => {
    const workspace = fakeWorkspace();
    t.after(() => workspace.remove());
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer();
      const port = await new Promise<number | undefined>((resolve) => {
        server.once('error', () => resolve(undefined));
        server.listen(0, host, () => resolve((server.address() as { port: number }).port));
      });
      if (port === undefined) {
        t.diagnostic(`skipped ${host}: this machine has no such address`);
        continue;
      }
      assert.match(await refusal(workspace, 'whole', { PORT: String(port) }), new RegExp(`^serve: Port ${port} is taken by another program: .*PORT=8080.*\\n$`));
      server.close();
    }
    assert.deepEqual(EVERYTHING.flatMap((name) => workspace.pidsOf(name)), []);
    assert.match(await refusal(workspace, 'whole', { PORT: 'many' }), /^serve: PORT is "many", which is no port: .*\n$/);
    assert.match(await refusal(workspace, 'whole', { PORT: String(await freePort()) }, ['--instances=api-gateway=2']), /^serve: api-gateway runs once, .*\n$/);
    assert.match(await refusal(workspace, 'nothing', {}), /^serve: There is no app "nothing"\. Serve one of: .*alpha.*\n$/);
  });

  it('a state directory that another supervisor holds; a second one beside it works', async () => {
    await using it = await ready('beta');
    const { workspace } = it;
    assert.match(await refusal(workspace, 'beta', {}), new RegExp(`^serve: "beta" is being served from .* by process ${workspace.supervisor()}: .*TALARIA_STATE_DIR=.*PORT=.*\\n$`));
    const second = workspace.serve('beta', { TALARIA_STATE_DIR: '.talaria-2' });
    await until('the second is ready', () => second.output().includes('is ready'), second.output);
    second.process.kill('SIGTERM');
    assert.equal(await second.exited, 0);
  });
});
