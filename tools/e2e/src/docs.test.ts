import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { ask, login, openAccount, usePlatform } from './harness.ts';
import { lacking, ROOT, run } from './run.ts';

const platform = usePlatform();

interface Sample {
  readonly label: string;
  readonly source: string;
}
interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly 'x-codeSamples'?: readonly Sample[];
}

async function operations(): Promise<readonly Operation[]> {
  const { status, body } = await ask(platform(), '/openapi.json');
  assert.equal(status, 200);
  return Object.values(body.paths as Record<string, Record<string, Operation>>).flatMap((item) => Object.values(item));
}

/** The source of a sample, for each method that has one. */
async function samples(label: string): Promise<ReadonlyMap<string, string>> {
  const found = (await operations()).flatMap((operation) => (operation['x-codeSamples'] ?? []).filter((sample) => sample.label === label).map(({ source }) => [operation.operationId, source] as const));
  assert.equal(found.length, 11);
  return new Map(found);
}

/** Runs a sample as somebody would who pastes it, and answers the JSON that it prints. */
async function paste(source: string, token: string): Promise<Record<string, unknown>> {
  const env = { TOKEN: token, PORT: new URL(platform().gateway).port, TALARIA_STATE_DIR: platform().stateDir, TALARIA_NAMESPACE: `e2e-${process.pid}` };
  return JSON.parse(await run('bash', ['-euo', 'pipefail', '-c', source], { env })) as Record<string, unknown>;
}

test('every curl sample works as it stands, with ids that are there', { skip: await lacking(['bash', 'curl']) }, async () => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  const ids = { acc_01J9ZQ6D3M3V9Y7P0E4W7S2X1A: account, account_1: account, tx_01J9ZQ6D3M3V9Y7P0E4W7S2X1A: '', webhook_01J9ZQ6D3M3V9Y7P0E4W7S2X1A: '' };
  const all = await samples('curl');
  const answers = new Map<string, Record<string, unknown>>();
  const go = async (id: string): Promise<Record<string, unknown>> => {
    const source = Object.entries(ids).reduce((text, [example, real]) => text.replaceAll(example, real || example), all.get(id) ?? assert.fail(id));
    const answer = await paste(source, token);
    answers.set(id, answer);
    assert.equal(answer['code'] ?? answer['error'], undefined, `${id}: ${JSON.stringify(answer)}`);
    return answer;
  };
  ids.tx_01J9ZQ6D3M3V9Y7P0E4W7S2X1A = ((await go('transaction.v1.TransactionService.RecordTransaction'))['transaction'] as { id: string }).id;
  ids.webhook_01J9ZQ6D3M3V9Y7P0E4W7S2X1A = ((await go('webhook.api.v1.WebhookApiService.RegisterWebhook'))['webhook'] as { id: string }).id;
  for (const id of all.keys()) if (!answers.has(id)) await go(id);
  assert.equal(answers.size, all.size);
});

test('buf curl samples reach each service by reflection', { skip: await lacking(['bash', 'curl', 'jq']) }, async () => {
  const token = await login(platform());
  const account = await openAccount(platform(), token);
  const all = await samples('buf curl');
  const chosen = ['account.v1.AccountService.CreateAccount', 'auth.v1.AuthService.IssueToken', 'transaction.v1.TransactionService.ListTransactions', 'webhook.api.v1.WebhookApiService.ListWebhooks'];
  for (const id of chosen) {
    const answer = await paste((all.get(id) ?? assert.fail(id)).replaceAll('account_1', account), token);
    assert.equal(typeof answer, 'object', id);
  }
});

test('samples of the typed client compile', async (t) => {
  const cache = join(import.meta.dirname, '../node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'docs-samples-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const all = await samples('TypeScript');
  for (const [id, source] of all) await writeFile(join(folder, `${id}.ts`), `import type { Service } from '@talaria/service';\ndeclare const service: Service;\n${source}\nvoid response;\n`);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(ROOT, 'tsconfig.base.json'), compilerOptions: { incremental: false, noEmit: true }, include: ['*.ts'] }));
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder]);
});

/** A page of a real browser, which can reach nothing but this machine; `problems` are what it complains about, and requests that leave. */
async function openPage(use: (page: Page, problems: string[]) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: (await run('sh', ['-c', 'command -v chromium'])).trim(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const problems: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(platform().gateway) && !request.url().startsWith('data:')) problems.push(`asks for ${request.url()}`);
    });
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    await use(page, problems);
  } finally {
    await browser.close();
  }
}

test('/docs shows every method, its samples, and tries a call, with nothing but the gateway', { skip: await lacking(['chromium']) }, async () => {
  const token = await login(platform());
  const all = await operations();
  await openPage(async (page, problems) => {
    await page.goto(`${platform().gateway}/docs`);
    await page.waitForSelector('.opblock');
    assert.equal(await page.locator('.opblock').count(), all.length);

    await page.locator('.opblock-summary-path[data-path="/accounts"]').first().click();
    const shown = page.locator('.code-samples');
    await shown.waitFor();
    for (const [label, holds] of [
      ['curl', `"${platform().gateway}/accounts"`],
      ['buf curl', 'account.v1.AccountService/CreateAccount'],
      ['TypeScript', 'client.createAccount({'],
    ] as const) {
      await shown.getByRole('tab', { name: label, exact: true }).click();
      await shown.locator('code', { hasText: holds }).waitFor();
    }

    await page.locator('button.authorize').first().click();
    await page.getByLabel('auth-bearer-value').fill(token);
    await page.locator('.auth-container', { hasText: 'bearer' }).last().getByRole('button', { name: 'Apply credentials' }).click();
    await page.locator('.modal-ux .close-modal').click();
    await page.locator('.try-out__btn').click();
    await page.locator('button.execute').click();
    const answered = page.locator('.live-responses-table .response');
    await answered.waitFor();
    assert.match(await answered.innerText(), /^200[\s\S]*"id": "acc_/);
    assert.deepEqual(problems, []);
  });
});
