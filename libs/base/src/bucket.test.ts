import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUCKETS, bucketOf } from './bucket.ts';
import { murmur3 } from './murmur3.ts';

/** The algorithm once more, over bytes, as its author wrote it down. */
function reference(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rotl = (x: number, by: number) => (x << by) | (x >>> (32 - by));
  let h = seed;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    h ^= Math.imul(rotl(Math.imul(view.getUint32(at, true), 0xcc9e2d51), 15), 0x1b873593);
    h = (Math.imul(rotl(h, 13), 5) + 0xe6546b64) | 0;
  }
  let k = 0;
  for (let tail = bytes.length - 1; tail >= at; tail--) k = (k << 8) | (bytes[tail] ?? 0);
  h ^= Math.imul(rotl(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593) ^ bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

test('the hash is MurmurHash3: published values', () => {
  for (const [text, seed, expected] of [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ] as const) {
    assert.equal(murmur3(text, seed), expected, JSON.stringify(text));
  }
});

test('text of every length and script is hashed as its UTF-8', () => {
  const letters = ['a', 'Z', '7', '\0', 'ā', 'é', 'ß', 'Ω', '€', '日', '𝄞', '😀', '\ud800', '\udc00'];
  let text = '';
  for (let at = 0; at < 2000; at++) {
    text = at % 40 === 0 ? '' : text + letters[(at * at * 7 + at) % letters.length];
    assert.equal(murmur3(text, at * 0x9e3779b1), reference(new TextEncoder().encode(text), at * 0x9e3779b1), JSON.stringify(text));
  }
});

test('buckets never change: these are what services and stored documents go by', () => {
  assert.equal(BUCKETS, 1_000_000);
  const known = [bucketOf('checkout', 'cus_1'), bucketOf('checkout', 'cus_2'), bucketOf('other', 'cus_1'), bucketOf('', '')];
  assert.deepEqual(known, [994_738, 253_637, 740_192, 0]);
});

test('buckets are whole, in range, and reach both ends', () => {
  let [least, most] = [BUCKETS, 0];
  for (let at = 0; at < 200_000; at++) {
    const bucket = bucketOf('range', `cus_${at}`);
    assert.ok(Number.isInteger(bucket) && bucket >= 0 && bucket < BUCKETS);
    least = Math.min(least, bucket);
    most = Math.max(most, bucket);
  }
  assert.ok(least < 100 && most > BUCKETS - 100, `${least}..${most}`);
});
