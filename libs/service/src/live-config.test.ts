import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createLogger, silentLogger } from '@talaria/base';
import { duration, setting, SettingsError } from '@talaria/config';
import { connectEtcd } from '@talaria/etcd';
import { createPlatform, eventually } from '@talaria/testing';
import { z } from 'zod';
import { createService } from './service.ts';
import { startEtcd } from './testing/etcd.ts';
import type { Service } from './types.ts';

const SHAPE = { 'mail.timeout': setting(duration().default(10_000), { description: 'how long an attempt may take' }) } as const;

describe('live settings of a service', { timeout: 60_000 }, () => {
  test('are set by tests of services, without etcd', async () => {
    const platform = await createPlatform({ env: { MAIL_TIMEOUT: '5s' } });
    const [one, two] = [platform.service({ name: 'service.mail' }), platform.service({ name: 'service.post' })];
    const [mine, others] = [one.config(SHAPE)['mail.timeout'], two.config(SHAPE)['mail.timeout']];
    try {
      assert.equal(mine.get(), 5_000);
      await platform.start();
      platform.config.set('service/service.mail', { 'mail.timeout': '1s' });
      assert.deepEqual([mine.get(), others.get()], [1_000, 5_000]);
      platform.config.set(`instance/${two.instance}`, { 'mail.timeout': '2s' });
      assert.deepEqual([mine.get(), others.get()], [1_000, 2_000]);
      assert.equal(platform.config.applied.get(`service.mail/${one.instance}`)?.settings['mail.timeout']?.source, 'service');
      const names = Object.keys(platform.config.schemas.get(`service.mail@${one.version}`)?.settings ?? {});
      for (const name of ['call.deadlines', 'call.policies', 'faults.rules', 'log.level', 'mail.timeout', 'telemetry.sampling']) assert.ok(names.includes(name), name);
      assert.throws(() => one.config({ 'too.late': setting(z.string(), { description: 'x' }) }), { name: 'WiringError', message: /too late/ });
      assert.throws(() => two.config({ 'log.level': setting(z.string(), { description: 'x' }) }), { name: 'WiringError', message: /declared already/ });
    } finally {
      await platform.stop();
    }
    assert.equal(platform.config.applied.size, 0);
  });

  test('fail its health, and nothing else, while one that was written is wrong', async () => {
    const platform = await createPlatform();
    const service = platform.service({ name: 'service.mail' });
    const timeout = service.config(SHAPE)['mail.timeout'];
    try {
      await platform.start();
      platform.config.set('global', { 'mail.timeout': 'soon' });
      const found = (await service.health.check()).find(({ name }) => name === 'config');
      assert.equal(found?.ok, false);
      assert.match(JSON.stringify(found), /mail\.timeout is \\"soon\\"/);
      assert.equal(timeout.get(), 10_000);
    } finally {
      await platform.stop();
    }
  });

  test('that are wrong in the environment are reported at the start, with all other settings', async () => {
    const platform = await createPlatform({ env: { MAIL_TIMEOUT: 'soon', LOG_LEVEL: 'loud', LIMIT: 'x' } });
    const service = platform.service({ name: 'service.mail' });
    service.settings({ LIMIT: setting(z.coerce.number(), { description: 'a limit' }) });
    const timeout = service.config(SHAPE)['mail.timeout'];
    assert.throws(() => timeout.get(), SettingsError);
    await assert.rejects(service.start(), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.deepEqual(error.problems.map(({ name }) => name).sort(), ['LIMIT', 'LOG_LEVEL', 'MAIL_TIMEOUT']);
      return true;
    });
    await platform.stop();
  });

  test('come from disk when etcd is away at the start', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'talaria-service-'));
    const platform = await createPlatform();
    const first = await startEtcd();
    const make = (endpoints: string, lines: string[] = []): Service =>
      createService({
        name: 'service.mail',
        description: 'A service of a test',
        platform: {
          env: { ETCD_ENDPOINTS: endpoints, TALARIA_STATE_DIR: stateDir },
          log: createLogger({ format: 'json', destination: { write: (line) => void lines.push(line) } }),
          keys: platform.keys,
          key: platform.keys.of('service.mail'),
        },
      });
    try {
      const client = connectEtcd({ endpoints: first.endpoints, log: silentLogger });
      await client.put('talaria/default/config/service/service.mail/mail.timeout', '"1s"');
      const one = make(first.endpoints);
      const timeout = one.config(SHAPE)['mail.timeout'];
      await one.start();
      assert.equal(timeout.get(), 1_000);
      await one.stop();
      client.close();
      await first.stop();

      const lines: string[] = [];
      const two = make(first.endpoints, lines);
      const again = two.config(SHAPE)['mail.timeout'];
      const started = two.start().catch(() => {});
      await eventually(() => lines.some((line) => line.includes('starting with the settings that were last known')), { limitMs: 30_000 });
      assert.equal(again.get(), 1_000);
      await two.stop();
      await started;
    } finally {
      await platform.stop();
      await rm(stateDir, { recursive: true, force: true });
    }
  });
});
