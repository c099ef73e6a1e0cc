import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { baggageKey } from '@talaria/service';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { httpEdge, type HttpEdge } from './edge.ts';
import { settings } from './settings.ts';

const NAMES = ['tenant', 'region', 'other', 'user', 'talaria-versions'];
const keys = NAMES.map((name) => baggageKey(name, { maxBytes: 8_192 }));

describe('baggage at the edge', () => {
  let platform: TestPlatform;
  let edge: HttpEdge;
  let seen: Record<string, string> = {};

  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    const none = async (): Promise<object> => ({});
    platform.service({ name: 'service.auth' }).add(AuthServiceDefinition, {
      async issueToken() {
        seen = Object.fromEntries(keys.map((key) => [key.name, key.get()]).filter(([, value]) => value !== undefined));
        return { accessToken: 'token', tokenType: 'Bearer' };
      },
      exchangeToken: none,
      getKeys: none,
      whoAmI: none,
    });
    const env = { PORT: '0', TALARIA_READY_CONTRACTS: 'auth.v1.AuthService', TALARIA_ALLOWED_BAGGAGE: 'tenant,region,talaria-versions' };
    const gateway = platform.service({ name: 'api.gateway', edge: true, platform: { env }, capabilities: [{ name: 'http', checkers: [], start: () => edge.start(), stop: () => edge.stop() }] });
    edge = httpEdge(gateway, gateway.settings(settings));
    await platform.start();
    await eventually(async () => (await fetch(`${edge.url ?? ''}/readyz`)).status === 200);
  });
  after(() => platform.stop());

  /** What the handler two hops away saw of the header. */
  const arrived = async (baggage: string | readonly string[]): Promise<Record<string, string>> => {
    seen = { nothing: 'was called' };
    const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
    for (const one of [baggage].flat()) headers.append('baggage', one);
    const response = await fetch(`${edge.url ?? ''}/oauth2/token`, { method: 'POST', headers, body: 'grant_type=client_credentials&client_id=a' });
    assert.equal(response.status, 200, await response.text());
    return seen;
  };

  it('what is allowed by name travels, and nothing else does', async () => {
    assert.deepEqual(await arrived('tenant=acme,other=x,region=eu%20west,user=root,talaria-versions=service.auth%3D2'), { tenant: 'acme', region: 'eu west' });
    assert.deepEqual(await arrived(['tenant=a', 'region=b']), { tenant: 'a', region: 'b' });
    assert.deepEqual(await arrived('Tenant=x,tenant%20=y,other=z'), {});
  });

  it('what is malformed or too large is dropped, and the call is answered', async () => {
    assert.deepEqual(await arrived('tenant=a;property=é,region=b,,=,x'), { region: 'b' });
    assert.deepEqual(await arrived(`tenant=${'x'.repeat(8_300)},region=b`), { region: 'b' });
    assert.deepEqual(await arrived(`${Array.from({ length: 70 }, (_, n) => `k${n}=v`).join()},tenant=late`), {});
    assert.deepEqual(await arrived('tenant=%ff'), { tenant: '\uFFFD' });
  });
});
