import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseEndpoints } from './index.ts';

it('parseEndpoints takes lists and texts, with and without scheme and port', () => {
  assert.deepEqual(parseEndpoints('http://a:1, b:2,c'), ['http://a:1', 'http://b:2', 'http://c:2379']);
  assert.deepEqual(parseEndpoints(['https://a:1', 'https://[::1]:2']), ['https://a:1', 'https://[::1]:2']);
  assert.deepEqual(parseEndpoints('http://a:80/, http://[::1]'), ['http://a:80', 'http://[::1]:2379']);
  assert.deepEqual(parseEndpoints('https://a:443,https://b'), ['https://a:443', 'https://b:2379']);
});

it('parseEndpoints refuses what is no endpoint, and names the fix', () => {
  assert.throws(() => parseEndpoints(''), /ETCD_ENDPOINTS/);
  assert.throws(() => parseEndpoints(' , '), /ETCD_ENDPOINTS/);
  for (const wrong of ['http://', 'ftp://a:1', 'http://a:1/path', 'http://user@a:1', 'a b', 'http://a:99999']) {
    assert.throws(() => parseEndpoints(wrong), /is no etcd endpoint: expected http:\/\/host:port/, wrong);
  }
  assert.throws(() => parseEndpoints('http://a:1,https://b:2'), /mix http and https/);
});
