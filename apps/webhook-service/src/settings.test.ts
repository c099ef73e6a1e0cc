import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '@talaria/testing';
import { DELAYS_MS } from './logic/schedule.ts';
import { receivers } from './receivers.ts';

test('the limits of deliveries come from the environment, change while the service runs, and keep what is not allowed out', async () => {
  const platform = await createPlatform({ env: { WEBHOOK_CONCURRENCY: '16', WEBHOOK_DELAYS: '["1s", 5000]' } });
  const service = platform.service({ name: 'service.webhook' });
  const { limits } = receivers(service);
  await platform.start();
  const now = (): unknown[] => [limits.delays, limits.attemptTimeout, limits.holdMargin, limits.concurrency, limits.concurrencyPerWebhook].map((each) => each.get());
  assert.deepEqual(now(), [[1_000, 5_000], 15_000, 10_000, 16, 8]);

  platform.config.set('service/service.webhook', { 'webhook.delays': ['1m', '1h'], 'webhook.attempt_timeout': '30s', 'webhook.hold_margin': '1m', 'webhook.concurrency': 4, 'webhook.concurrency_per_webhook': 2 });
  assert.deepEqual(now(), [[60_000, 3_600_000], 30_000, 60_000, 4, 2]);
  const wrong = { 'webhook.delays': ['0s'], 'webhook.attempt_timeout': '1h', 'webhook.hold_margin': 0, 'webhook.concurrency': 0, 'webhook.concurrency_per_webhook': 1.5 };
  for (const [name, value] of Object.entries(wrong)) platform.config.set('service/service.webhook', { [name]: value });
  assert.deepEqual(now(), [[60_000, 3_600_000], 30_000, 60_000, 4, 2]);
  await platform.stop();
});

test('without any setting deliveries follow Standard Webhooks', async () => {
  const platform = await createPlatform();
  const { limits } = receivers(platform.service({ name: 'service.webhook' }));
  assert.deepEqual(limits.delays.get(), DELAYS_MS);
  await platform.stop();
});
