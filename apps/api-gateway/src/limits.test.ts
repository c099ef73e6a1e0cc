import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { currentCall, timeRemaining } from '@talaria/service';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { httpEdge, type HttpEdge } from './edge.ts';
import { gatewayLimits } from './limits.ts';
import { settings } from './settings.ts';

describe('limits of the gateway that change while it runs', () => {
  let platform: TestPlatform;
  let edge: HttpEdge;
  let left = NaN;
  let onCall: () => Promise<void>;

  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    const none = async (): Promise<object> => ({});
    platform.service({ name: 'service.auth' }).add(AuthServiceDefinition, {
      async issueToken() {
        left = timeRemaining() ?? Infinity;
        await onCall();
        return { accessToken: 'token', tokenType: 'Bearer' };
      },
      exchangeToken: none,
      getKeys: none,
      whoAmI: none,
    });
    const env = { PORT: '0', TALARIA_READY_CONTRACTS: 'auth.v1.AuthService', TALARIA_DEADLINE_MS: '120000' };
    const gateway = platform.service({ name: 'api.gateway', edge: true, platform: { env }, capabilities: [{ name: 'http', checkers: [], start: () => edge.start(), stop: () => edge.stop() }] });
    edge = httpEdge(gateway, gateway.settings(settings), gatewayLimits(gateway));
    await platform.start();
    await eventually(async () => (await fetch(`${edge.url ?? ''}/readyz`)).status === 200);
  });
  after(() => platform.stop());

  const ask = (): Promise<Response> => fetch(`${edge.url ?? ''}/oauth2/token`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'grant_type=client_credentials&client_id=a' });
  const set = (values: Record<string, unknown>): bigint => platform.config.set('service/api.gateway', values);

  it('the deadline, which TALARIA_DEADLINE_MS says as long as nothing else does', async () => {
    onCall = () => Promise.resolve();
    assert.equal((await ask()).status, 200);
    assert.ok(left > 20_000 && left <= 120_000, String(left));
    set({ 'gateway.deadline': '10m' });
    assert.equal((await ask()).status, 200);
    assert.ok(left > 120_000 && left <= 600_000, String(left));
    onCall = () => new Promise((_, reject) => currentCall().signal?.addEventListener('abort', () => reject(new Error('late'))));
    set({ 'gateway.deadline': 30 });
    assert.equal((await ask()).status, 504);
    set({ 'gateway.deadline': undefined });
  });

  it('the size of bodies', async () => {
    onCall = () => Promise.resolve();
    set({ 'gateway.max_body_bytes': 5 });
    assert.equal((await ask()).status, 413);
    set({ 'gateway.max_body_bytes': undefined });
    assert.equal((await ask()).status, 200);
  });

  it('how many requests may be under way', async () => {
    const [arrived, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    onCall = () => (arrived.resolve(), go.promise);
    set({ 'gateway.max_in_flight': 1 });
    // Answers of before may be on their way out still.
    const { first } = await eventually(async () => {
      const asked = ask();
      const isIn = await Promise.race([arrived.promise.then(() => true), asked.then(() => false)]);
      return isIn ? { first: asked } : undefined;
    });
    const refused = await ask();
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
    set({ 'gateway.max_in_flight': 2 });
    const second = ask();
    set({ 'gateway.max_in_flight': 'many' });
    go.resolve();
    assert.deepEqual([(await first).status, (await second).status], [200, 200]);
  });
});
