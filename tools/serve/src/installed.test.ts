import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from './ports.ts';
import { isAlive } from './process-identity.ts';
import { fakeWorkspace, until } from './testing/fake-workspace.ts';

const WITH_PACKAGES = ['etcd', 'postgres', 'api-gateway', 'alpha', 'beta', 'whole'];

describe('a workspace to which Talaria comes from npm', { concurrency: 4 }, () => {
  it('is served, its own sources are watched, and its contracts are generated', async (t) => {
    const workspace = fakeWorkspace({ installed: true });
    t.after(() => workspace.remove());
    const served = workspace.serve('whole', { PORT: String(await freePort()) });
    await until('ready', () => served.output().includes('is ready at'), served.output);
    await until('all run', () => WITH_PACKAGES.every((name) => workspace.pidsOf(name).some(isAlive)), served.output);
    assert.equal(workspace.envOf('api-gateway')['TALARIA_READY_CONTRACTS'], 'beta.v1.Beta,beta.v1.More,alpha.v1.Alpha');
    assert.match(served.output(), /Starting etcd, postgres, api-gateway, beta, alpha, whole;/);

    workspace.write('proto/alpha.proto', 'second');
    await until('alpha has it', () => served.output().includes('contract is second') && workspace.pidsOf('alpha').length === 2, served.output);
    // Had it been watched, it would have been seen before what is changed next.
    workspace.write('node_modules/@talaria/etcd-server/dist/main.js', `${workspace.read('node_modules/@talaria/etcd-server/dist/main.js')}\n// changed`);
    workspace.write('apps/beta/src/main.ts', `${workspace.read('apps/beta/src/main.ts')}\n// changed`);
    await until('beta restarted', () => workspace.pidsOf('beta').length === 2, served.output);
    for (const name of ['etcd', 'postgres', 'api-gateway']) assert.equal(workspace.pidsOf(name).length, 1, name);
  });

  it('prefers an app of its own to the one of the same name from npm', async (t) => {
    const workspace = fakeWorkspace({ installed: true });
    t.after(() => workspace.remove());
    workspace.write('apps/edge/package.json', JSON.stringify({ name: '@own/edge', type: 'module', nx: { name: 'api-gateway' }, talaria: { service: 'api' } }));
    workspace.write('apps/edge/src/main.ts', `console.log('the gateway of this workspace');\n${workspace.read('node_modules/@talaria/api-gateway/dist/main.js')}`);
    const served = workspace.serve('whole', { PORT: String(await freePort()) });
    await until('ready', () => served.output().includes('is ready at'), served.output);
    assert.match(served.output(), /api-gateway \| the gateway of this workspace/);
  });

  it('says which package is missing, and what to do', async (t) => {
    const workspace = fakeWorkspace({ installed: true });
    t.after(() => workspace.remove());
    const refusal = async (app: string, missing: string): Promise<string> => {
      rmSync(join(workspace.root, 'node_modules', missing), { recursive: true });
      const served = workspace.serve(app);
      assert.equal(await served.exited, 1);
      return served.output();
    };
    assert.match(await refusal('whole', '@talaria/api-gateway'), /^serve: "whole" needs "api-gateway" .* no @talaria\/api-gateway is installed\.\n$/);
    assert.match(await refusal('alpha', '@talaria/postgres'), /^serve: @talaria\/postgres is not installed: run "npm install --save-dev @talaria\/postgres" .*DATABASE_URL.*\n$/);
    assert.match(await refusal('alpha', '@talaria/etcd-server'), /^serve: @talaria\/etcd-server is not installed: .*ETCD_ENDPOINTS.*\n$/);
    for (const app of ['alpha', 'beta', 'whole']) rmSync(join(workspace.root, 'apps', app), { recursive: true });
    assert.match(await refusal('alpha', '@fake/shared'), /^serve: There is no app "alpha", nor any other in apps\/: write one with "npx nx g service invoice".*\n$/);
  });

  it('shows what to paste, if the app has that', async (t) => {
    const workspace = fakeWorkspace({ installed: true });
    t.after(() => workspace.remove());
    workspace.write('apps/whole/transcript.sh', 'curl -s localhost:8080/whole\n');
    const port = await freePort();
    const served = workspace.serve('whole', { PORT: String(port) });
    await until('ready', () => served.output().includes('Ctrl-C stops everything'), served.output);
    assert.match(served.output(), new RegExp(`Paste this into another terminal, in this folder \\(it needs curl\\):\n\ncurl -s localhost:${port}/whole\n`));
  });
});

it('the README shows the transcript of webhook-api', () => {
  const root = join(import.meta.dirname, '../../..');
  assert.ok(readFileSync(join(root, 'README.md'), 'utf8').includes(`\`\`\`sh\n${readFileSync(join(root, 'apps/webhook-api/transcript.sh'), 'utf8')}\`\`\``));
});
