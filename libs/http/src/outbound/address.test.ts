import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAllowedAddress } from './address.ts';
import { checkUrl, parseHttpUrl } from './check-url.ts';
import { type Lookup } from './lookup.ts';

const PUBLIC = ['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001:800::200e', '::ffff:8.8.8.8', '64:ff9b::808:808'];
const LOOPBACK = ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'];
const FORBIDDEN = [
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.127.255.255', '169.254.169.254', '169.254.0.1', '192.0.0.1', '192.0.2.1', '192.88.99.1',
  '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
  '::', 'fe80::1', 'febf::1', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::ffff:0.0.0.0', '::127.0.0.1', '::10.0.0.1', '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1', '64:ff9b::a00:1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '2002:7f00:1::', '2002:808:808::', '2001::1', '2001:db8::1', '3fff::1', '100::1', '5f00::1', '4000::1',
  'fe80::1%eth0', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '', 'localhost', 'example.com',
];

test('public addresses are allowed, loopback only where it is opened, and nothing else ever', () => {
  for (const address of PUBLIC) assert.deepEqual([isAllowedAddress(address, { allowLoopback: false }), isAllowedAddress(address, { allowLoopback: true })], [true, true], address);
  for (const address of LOOPBACK) assert.deepEqual([isAllowedAddress(address, { allowLoopback: false }), isAllowedAddress(address, { allowLoopback: true })], [false, true], address);
  for (const address of FORBIDDEN) assert.deepEqual([isAllowedAddress(address, { allowLoopback: false }), isAllowedAddress(address, { allowLoopback: true })], [false, false], address);
});

test('private networks are allowed where they are opened, without anything else', () => {
  const PRIVATE = ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456:789a::1', '::ffff:10.0.0.1'];
  for (const address of PRIVATE) assert.deepEqual([isAllowedAddress(address, { allowLoopback: false, allowPrivate: true }), isAllowedAddress(address, { allowLoopback: true })], [true, false], address);
  const rest = [...FORBIDDEN, ...LOOPBACK, 'fd00:ec2::254', '64:ff9b::a00:1'].filter((address) => !PRIVATE.includes(address));
  for (const address of rest) assert.equal(isAllowedAddress(address, { allowLoopback: false, allowPrivate: true }), false, address);
});

const lookup: Lookup = (host) => {
  const known: Record<string, string[]> = { 'public.example': ['8.8.8.8', '2606:4700::1111'], 'private.example': ['10.0.0.1'], 'mixed.example': ['8.8.8.8', '10.0.0.1'], localhost: ['::1', '127.0.0.1'] };
  const found = known[host];
  return found ? Promise.resolve(found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))) : Promise.reject(new Error('ENOTFOUND'));
};
const check = (url: string, allowLoopback = false): Promise<void> => checkUrl(url, { allowLoopback, lookup });

test('a registration accepts public hosts, and names that do not resolve', async () => {
  for (const url of ['http://public.example/hooks?a=b', 'https://public.example:8443/', 'http://8.8.8.8', 'http://[2606:4700::1111]/x', 'http://absent.example/', 'HTTPS://PUBLIC.example', 'http://xn--bcher-kva.example/']) await check(url);
  for (const url of ['http://localhost:9000/hooks', 'http://127.0.0.1:9000', 'http://[::1]:9000', 'http://2130706433/']) await check(url, true);
});

const refused = [
  'http://127.0.0.1', 'http://127.1', 'http://2130706433', 'http://0x7f000001', 'http://0x7f.1', 'http://0177.0.0.1', 'http://017700000001', 'http://127.0.0.1.', 'http://127.0.0.1:80', 'http://0', 'http://0.0.0.0',
  'http://[::1]', 'http://[::]', 'http://[::ffff:127.0.0.1]', 'http://[::ffff:7f00:1]', 'http://[64:ff9b::7f00:1]', 'http://[fe80::1]', 'http://[fd00::1]', 'http://[2002:7f00:1::]',
  'http://10.0.0.1', 'http://192.168.0.1', 'http://172.16.0.1', 'http://169.254.169.254/latest/meta-data', 'http://100.64.0.1', 'http://224.0.0.1',
  'http://localhost', 'http://localhost.', 'http://a.localhost', 'http://LOCALHOST', 'http://\uff11\uff12\uff17.0.0.1', 'http://private.example', 'http://mixed.example',
  'ftp://public.example', 'file:///etc/passwd', 'javascript:alert(1)', 'public.example', '//public.example', '', 'http://', 'http:///x', 'http:public.example', 'http:\\\\public.example', 'http://public.example\\@10.0.0.1',
  'http://user:pass@public.example', 'http://user@public.example', 'http://@public.example', 'http://:@public.example', ' http://public.example', 'http://public.example\n', 'http://public .example', 'http://public.example:99999', 'http://public.example:0', 'http://[::1', 'http://[fe80::1%25eth0]',
  `http://public.example/${'x'.repeat(2048)}`, 'http://public.example/\ud800', 'http://public.example/\0',
];
test('a registration refuses everything else, naming the field', async () => {
  for (const url of refused) await assert.rejects(check(url), { code: 'bad_request.invalid_param', params: { param: 'url' } }, JSON.stringify(url));
  for (const url of ['http://10.0.0.1', 'http://169.254.169.254', 'http://0.0.0.0', 'http://private.example', 'http://[::]']) await assert.rejects(check(url, true), { code: 'bad_request.invalid_param' }, url);
});

test('a name server that hangs does not hold up a registration for ever', async () => {
  await checkUrl('http://slow.example', { allowLoopback: false, lookup: () => new Promise(() => {}), lookupLimitMs: 50 });
});

test('what is stored is what is connected to', () => {
  assert.equal(parseHttpUrl('http://public.example/a b'.replace(' ', '%20')).href, 'http://public.example/a%20b');
});
