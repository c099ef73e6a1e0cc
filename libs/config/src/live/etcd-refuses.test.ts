import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, connectEtcdAdmin, PULSE_KEY, type EtcdPermission } from '@talaria/etcd';
import { engines, eventually } from '@talaria/etcd/testing';
import { z } from 'zod';
import { etcdConfigSource, openConfig, setting } from '../index.ts';

const BASE = 'talaria/test/';
const VERSION: EtcdPermission = { access: 'read', key: `${BASE}config/version/service.test@`, prefix: true };
const root = { username: 'root', password: 'r' };
const user = { username: 'service', password: 's' };

for (const engine of engines) {
  describe(`${engine.name} that refuses one of the targets`, { skip: engine.skip, timeout: 120_000 }, () => {
    it('fails the checker until it shows it', async () => {
      const server = await engine.start();
      const admin = connectEtcdAdmin({ endpoints: server.endpoint, log, requestTimeoutMs: 10_000, credentials: () => root });
      const etcd = connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 10_000, credentials: () => user });
      const config = openConfig({ service: 'service.test', version: '1', instance: 'inst_1', env: {}, log, namespace: 'test', source: etcdConfigSource({ etcd, log, namespace: 'test' }), waitMs: 1 });
      const failure = (): string => {
        try {
          void config.checker.check(new AbortController().signal);
          return '';
        } catch (error) {
          return (error as Error).message;
        }
      };
      try {
        for (const { username, password } of [root, user]) {
          await admin.addUser(username, password);
          await admin.addRole(username);
          await admin.grantRole(username, username);
        }
        const folders = ['config/global/', 'config/service/service.test/', 'config/instance/', 'schemas/', 'applied/', 'talaria'];
        for (const folder of folders) await admin.grantPermission('service', { access: 'readwrite', key: folder === 'talaria' ? PULSE_KEY : BASE + folder, prefix: folder !== 'talaria' });
        await admin.enableAuth();
        const asRoot = connectEtcd({ endpoints: server.endpoint, log, requestTimeoutMs: 10_000, credentials: () => root });
        await asRoot.put(`${BASE}config/global/log.level`, '"warn"');
        asRoot.close();

        const { 'log.level': level } = config.declare({ 'log.level': setting(z.string().default('info'), { description: 'what is logged' }) });
        await config.start();
        await eventually('it fails', () => /^etcd refuses to show talaria\/test\/config\/version\/service\.test@1\/ \(.*permission denied.*\): .*talaria etcd secure/.test(failure()));
        assert.equal(level.get(), 'info');
        await admin.grantPermission('service', VERSION);
        await eventually('it has the settings', () => level.get() === 'warn' && failure() === '');
      } finally {
        await config.close();
        etcd.close();
        admin.close();
        await server.stop();
      }
    });
  });
}
