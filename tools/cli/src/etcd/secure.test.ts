import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { etcdRegistry } from '@talaria/discovery';
import { connectEtcd, readCredentials, type Etcd } from '@talaria/etcd';
import { engines, type EtcdProcess } from '@talaria/etcd/testing';
import { run } from '../run.ts';
import { styleFor } from '../terminal.ts';

const AT = 'talaria/default/';
const DENIED = /permission denied/;

for (const engine of engines) {
  describe(`etcd secure on ${engine.name}`, { skip: engine.skip, concurrency: false, timeout: 120_000 }, () => {
    let server: EtcdProcess;
    let folder: string;
    const opened: Etcd[] = [];

    const open = (options: Partial<Parameters<typeof connectEtcd>[0]> = {}): Etcd => {
      const etcd = connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 10_000, ...options });
      opened.push(etcd);
      return etcd;
    };
    const as = (name: string): Etcd => open({ credentials: () => readCredentials(join(folder, `${name}.json`)) });
    async function talaria(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<{ code: number; out: string; err: string }> {
      let [out, err] = ['', ''];
      const terminal = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
      const code = await runWith(args, terminal, { ETCD_ENDPOINTS: server.endpoint, TALARIA_STATE_DIR: folder, ...env });
      return { code, out, err };
    }
    const secure = (...args: string[]) => talaria(['etcd', 'secure', '--dir', folder, ...args]);
    const files = async (): Promise<Record<string, string>> => Object.fromEntries(await Promise.all((await readdir(folder)).filter((file) => file.endsWith('.json')).sort().map(async (file) => [file, await readFile(join(folder, file), 'utf8')] as const)));

    before(async () => {
      server = await engine.start();
      folder = await mkdtemp(join(tmpdir(), 'talaria-secure-'));
      const etcd = open();
      await etcd.put(`${AT}contracts/account.v1.AccountService`, JSON.stringify({ service: 'service.account', file: 'a.proto', descriptor: 'x' }));
      await etcd.put(`${AT}contracts/webhook.v1.WebhookService`, JSON.stringify({ service: 'service.webhook', file: 'b.proto', descriptor: 'x' }));
      await etcd.put(`${AT}routes/POST /accounts`, 'account.v1.AccountService');
      await etcd.put(`${AT}schemas/service.worker@1.0.0`, '{}');
    });
    after(async () => {
      for (const etcd of opened) etcd.close();
      await server?.stop();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    it('says what it would do, and does nothing', async () => {
      const { code, out } = await secure('--dry-run');
      assert.equal(code, 0);
      assert.match(out, /would make the user talaria\.default\.service\.account/);
      assert.match(out, /would turn authentication on\n$/);
      assert.deepEqual(await files(), {});
      await open().get(`${AT}x`);
    });

    it('refuses while a service that is served has not published all that it owns', async () => {
      const serving = async (services: Readonly<Record<string, readonly string[]>>, ...args: string[]) => {
        const stateDir = join(folder, 'state');
        await mkdir(stateDir, { recursive: true });
        await writeFile(join(stateDir, 'platform.json'), JSON.stringify({ pid: process.pid, app: 'all', apps: [], services, etcd_endpoints: server.endpoint, service_keys_file: '', cli_key_file: '' }));
        return talaria(['etcd', 'secure', '--dry-run', '--dir', folder, ...args], { TALARIA_STATE_DIR: stateDir });
      };
      const services = { 'service.account': ['account.v1.AccountService'], 'service.webhook': ['webhook.v1.WebhookService', 'webhook.v1.More'], 'service.mail': ['mail.v1.MailService'], 'service.cron': [] };
      const { code, out, err } = await serving(services);
      assert.equal(code, 1);
      assert.equal(out, '');
      const owns = ['service.webhook=webhook.v1.More', 'service.mail=mail.v1.MailService', 'service.cron'].flatMap((each) => ['--owns', each]);
      assert.equal(err, `talaria: service.webhook, service.mail, service.cron would be locked out, not having published everything yet: wait until "npx nx serve" says that all is ready and run this again, or name what is missing: ${owns.join(' ')}.\n`);
      assert.equal((await serving(services, ...owns)).code, 0);
      await rm(join(folder, 'state'), { recursive: true });
    });

    it('makes users and roles, turns authentication on last, and tells what to set', async () => {
      const { code, out, err } = await secure('--operator', 'ada', '--owns', 'service.mail=mail.v1.MailService', '--owns', 'service.mail=POST /mails');
      assert.equal(code, 0, err);
      const done = out.split('\n\n')[0]?.split('\n') ?? [];
      assert.equal(done.at(-1), 'turn authentication on');
      assert.match(out, /TALARIA_ETCD_CREDENTIALS_FILE=<file>/);
      const made = await files();
      assert.deepEqual(Object.keys(made), ['ada.json', 'root.json', 'service.account.json', 'service.mail.json', 'service.webhook.json', 'service.worker.json']);
      for (const [file, text] of Object.entries(made)) {
        assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
        assert.ok(!out.includes((JSON.parse(text) as { password: string }).password), 'a password is never shown');
      }
    });

    it('lets a service write what is its own, read what all read, and nothing else', async () => {
      const account = as('service.account');
      for (const key of ['contracts/account.v1.AccountService', 'services/account.v1.AccountService/127.0.0.1:1', 'routes/POST /accounts', 'descriptors/abc', 'schemas/service.account@1.0.0', 'applied/service.account/inst_1', 'schedules/service.account/nightly', 'elections/service.account/leader', 'health/service.account/inst_1']) {
        await account.put(AT + key, '{}');
      }
      for (const key of ['services/', 'contracts/', 'descriptors/', 'routes/', 'flags/', 'experiments/', 'config/global/', 'config/service/service.account/', 'config/version/service.account@', 'config/instance/']) await account.list(AT + key);
      for (const key of ['contracts/webhook.v1.WebhookService', 'contracts/account.v1.Other', 'services/webhook.v1.WebhookService/127.0.0.1:1', 'routes/POST /webhooks', 'config/global/log.level', 'config/service/service.account/log.level', 'flags/a', 'history/chg_1', 'schemas/service.account2@1', 'applied/service.webhook/inst_2', 'elections/service.webhook/leader', 'health/service.webhook/inst_1', 'elsewhere']) {
        await assert.rejects(account.put(AT + key, '{}'), DENIED, key);
      }
      for (const key of ['config/service/service.webhook/', 'history/', 'config/', '']) await assert.rejects(account.list(AT + key), DENIED, key);
      await assert.rejects(account.list('talaria/other/'), DENIED);
      await assert.rejects(account.list('\0'), DENIED);
    });

    it('publishes and registers as the service, and not for another', async () => {
      const registry = etcdRegistry({ etcd: as('service.mail'), log });
      const publish = (contract: string, route: string) => registry.publish({ contract, service: 'service.mail', file: 'm.proto', descriptorSet: Buffer.from('set'), routes: [route] });
      const own = publish('mail.v1.MailService', 'POST /mails');
      await own.ready;
      own.close();
      await registry.close();
      await assert.rejects(as('service.mail').put(`${AT}contracts/webhook.v1.WebhookService`, '{"service":"service.mail"}'), DENIED);
    });

    it('lets an operator change settings and flags, and register nothing', async () => {
      const ada = as('ada');
      for (const key of ['config/global/log.level', 'config/instance/inst_1/log.level~', 'history/chg_1', 'flags/a', 'experiments/b']) await ada.put(AT + key, '{}');
      await ada.list(AT);
      for (const key of ['contracts/account.v1.AccountService', 'services/account.v1.AccountService/127.0.0.1:6', 'routes/GET /', 'elections/service.account/leader', 'health/service.account/inst_1', 'schemas/service.account@9']) await assert.rejects(ada.put(AT + key, ''), DENIED, key);
      await assert.rejects(ada.list('talaria/'), DENIED);
      assert.equal((await secure()).code, 0, 'root.json is in the folder');
      assert.match((await talaria(['etcd', 'secure', '--dir', folder], { ETCD_USERNAME: 'ada', ETCD_PASSWORD: readCredentials(join(folder, 'ada.json'))?.password ?? '' })).err, /ada is not root.*ETCD_USERNAME=root/);
    });

    it('lets nobody do anything', async () => {
      const nobody = open();
      await assert.rejects(nobody.get(`${AT}contracts/account.v1.AccountService`), /ETCD_USERNAME/);
      await assert.rejects(nobody.put(`${AT}x`, ''), /ETCD_USERNAME/);
      const { err, code } = await talaria(['etcd', 'secure', '--dir', join(folder, 'elsewhere')]);
      assert.equal(code, 1);
      assert.match(err, /asks who this is.*ETCD_USERNAME=root/);
      assert.match((await talaria(['etcd', 'status'])).out, /authentication {2}on\nuser {12}none/);
    });

    it('changes nothing when it is run again, and only what is asked', async () => {
      const first = await files();
      assert.match((await secure('--operator', 'ada')).out, /nothing was changed/, 'what nobody else owns stays');
      assert.deepEqual(await files(), first);
      const account = as('service.account');
      await account.list(`${AT}services/`);
      assert.match((await secure('--operator', 'ada', '--rotate', 'service.account')).out, /new password/);
      assert.notEqual((await files())['service.account.json'], first['service.account.json']);
      await account.put(`${AT}applied/service.account/inst_1`, 'with the new password');
    });

    it('goes on where it was stopped, and takes back what is permitted no more', async () => {
      const root = as('root');
      await root.put(`${AT}contracts/webhook.v1.WebhookService`, JSON.stringify({ service: 'service.account', file: 'b.proto', descriptor: 'x' }));
      const { out } = await secure('--operator', 'ada');
      assert.match(out, /no longer permit talaria\.default\.service\.webhook to readwrite talaria\/default\/contracts\/webhook\.v1\.WebhookService/);
      assert.match(out, /permit talaria\.default\.service\.account to readwrite talaria\/default\/services\/webhook\.v1\.WebhookService\/\*/);
      await as('service.account').put(`${AT}contracts/webhook.v1.WebhookService`, '{"service":"service.account"}');
    });
  });
}

/** Runs a command without colours and terminals. */
async function runWith(args: readonly string[], { out, err }: { out(text: string): void; err(text: string): void }, env: Readonly<Record<string, string>>): Promise<number> {
  const style = styleFor({}, {});
  return run(args, { terminal: { out, err, style, errStyle: style }, env, signal: new AbortController().signal });
}
