import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateServiceKey } from '@talaria/auth';
import { MAIN } from './testing/served.ts';

describe('Ctrl-C, while etcd accepts connections and says nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'talaria-cli-'));
  const keyFile = join(folder, 'key.jwk');
  before(async () => writeFileSync(keyFile, JSON.stringify((await generateServiceKey('talaria.cli')).privateJwk)));
  after(() => rmSync(folder, { recursive: true }));

  /** Starts a command, and resolves once it is connected to an etcd of its own. */
  const waiting = async (args: readonly string[]): Promise<{ readonly cli: ChildProcess; readonly ended: Promise<unknown>; readonly said: () => string }> => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const connected = once(silent, 'connection');
    const { npm_command: _, ...inherited } = process.env;
    const env = { ...inherited, ETCD_ENDPOINTS: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, TALARIA_SERVICE_KEY_FILE: keyFile };
    const cli = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
    let said = '';
    for (const stream of [cli.stdout, cli.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(cli, 'close').finally(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    await Promise.race([connected, ended.then(() => assert.fail(`ended: ${said}`))]);
    return { cli, ended, said: () => said };
  };

  for (const args of [['services'], ['describe'], ['token', '--as', 'dev'], ['call', 'a.v1.A/B'], ['config', 'explain', 'global'], ['config', 'set', 'global', 'log.level', 'debug', '--why', 'x'], ['config', 'watch']]) {
    it(`ends "${args.join(' ')}", which says nothing more`, async () => {
      const { cli, ended, said } = await waiting(args);
      cli.kill('SIGINT');
      assert.deepEqual(await ended, [130, null]);
      assert.equal(said().replace(/^etcd does not know who you are.*\n/, ''), '');
    });
  }

  it('does not wait for the limits of what was begun', async () => {
    const token = ['token', '--as', 'dev'];
    const [patient, interrupted] = await Promise.all([waiting(token), waiting(token)]);
    interrupted.cli.kill('SIGINT');
    const first = await Promise.race([patient.ended.then(() => 'patient'), interrupted.ended.then(() => 'interrupted')]);
    patient.cli.kill();
    assert.equal(first, 'interrupted');
    await patient.ended;
  });
});
