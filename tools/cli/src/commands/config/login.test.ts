import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, readCredentials } from '@talaria/etcd';
import { engines, type EtcdProcess } from '@talaria/etcd/testing';
import { runCli } from '../../testing/served.ts';

const SCHEMA = { service: 'service.account', version: '1.0.0', settings: { 'log.level': { description: '', live: true, env: 'LOG_LEVEL', schema: { enum: ['debug', 'info'] } } } };

for (const engine of engines) {
  describe(`talaria config, where ${engine.name} asks who one is`, { skip: engine.skip, timeout: 120_000 }, () => {
    let server: EtcdProcess;
    const folder = mkdtempSync(join(tmpdir(), 'talaria-cli-'));
    const talaria = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => runCli(args, { ETCD_ENDPOINTS: server.endpoint, TALARIA_STATE_DIR: folder, ...env });
    /** Logs in as one of those that `etcd secure` has made. */
    const as = (name: string): Record<string, string> => {
      const { username = '', password = '' } = readCredentials(join(folder, `${name}.json`)) ?? {};
      return { ETCD_USERNAME: username, ETCD_PASSWORD: password };
    };
    const set = ['config', 'set', 'service.account', 'log.level', 'debug', '--why', 'a look'];
    before(async () => {
      server = await engine.start();
      const etcd = connectEtcd({ endpoints: server.endpoint, log });
      await etcd.put('talaria/default/schemas/service.account@1.0.0', JSON.stringify(SCHEMA));
      etcd.close();
      const { code, err } = await talaria(['etcd', 'secure', '--dir', folder]);
      assert.equal(code, 0, err);
    });
    after(async () => {
      await server?.stop();
      rmSync(folder, { recursive: true });
    });

    it('records as whom somebody has logged in, for a while too', async () => {
      const { code, out, err } = await talaria(set, as('operator'));
      assert.equal(code, 0, err);
      assert.match(out, new RegExp(`Z {2}${as('operator')['ETCD_USERNAME']} {2}service\\.account\n`));
      assert.equal(err.includes('does not know who you are'), false);
      assert.equal((await talaria([...set.slice(0, 4), 'info', '--why', 'x', '--for', '10m'], as('operator'))).code, 0);
      assert.equal((await talaria(['config', 'unset', 'service.account', 'log.level', '--why', 'x'], as('operator'))).code, 0);
      assert.equal((await talaria(['config', 'validate'], as('operator'))).code, 0);
    });

    it('says what to do where etcd refuses', async () => {
      const cases: readonly (readonly [env: Record<string, string>, says: RegExp])[] = [
        [{}, /talaria: etcd does not answer nobody: set ETCD_USERNAME and ETCD_PASSWORD/],
        [{ ...as('operator'), ETCD_PASSWORD: 'wrong' }, /^talaria: etcd refuses the login of the user "\S+": check ETCD_USERNAME and ETCD_PASSWORD\.\n$/],
        [as('service.account'), /^talaria: etcd does not let you do that: log in as an operator/],
      ];
      for (const [env, says] of cases) {
        for (const args of [set, ['config', 'history']]) {
          const { code, out, err } = await talaria(args, env);
          assert.match(err, says, args.join(' '));
          assert.deepEqual([code, out], [1, '']);
        }
      }
      assert.match((await talaria(set, { ETCD_USERNAME: 'x' })).err, /needs both a user and a password/);
    });
  });
}
