import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dnsResolver } from './dns-resolver.ts';
import type { Endpoint } from './resolver.ts';
import { until } from './testing/until.ts';

it('finds A, AAAA and SRV records, follows changes, and keeps what it knew while DNS fails', async () => {
  let answer: readonly string[] | Error = ['10.0.0.2', '10.0.0.1', '10.0.0.1', '::1'];
  const resolver = dnsResolver(
    { 'a.A': 'dns:host:4000', 'b.B': 'dns:_grpc._tcp.host' },
    {
      everyMs: 1,
      lookup: (host) => (host === 'host' && !(answer instanceof Error) ? Promise.resolve(answer) : Promise.reject(answer as Error)),
      lookupService: () => Promise.resolve([{ name: 'node-1', port: 5000 }]),
    },
  );
  const a = resolver.resolve('a.A');
  const b = resolver.resolve('b.B');
  const changes: number[] = [];
  a.onChange((endpoints) => changes.push(endpoints.length));
  const known = (): readonly Endpoint[] | undefined => a.endpoints;
  assert.equal(known(), undefined);
  const keepAlive = setInterval(() => {}, 1_000);
  await until('both are known', () => a.endpoints !== undefined && b.endpoints !== undefined);
  assert.deepEqual(
    known()?.map(({ addresses: [address] }) => address),
    ['h2c://10.0.0.1:4000', 'h2c://10.0.0.2:4000', 'h2c://[::1]:4000'],
  );
  assert.deepEqual(b.endpoints?.[0]?.addresses, ['h2c://node-1:5000']);
  answer = new Error('no DNS');
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(known()?.length, 3);
  answer = ['10.0.0.9'];
  await until('the change is seen', () => a.endpoints?.[0]?.id === '10.0.0.9:4000');
  assert.deepEqual(changes, [3, 1]);
  assert.deepEqual(resolver.resolve('c.C').endpoints, []);
  a.close();
  b.close();
  clearInterval(keepAlive);
});
