import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketsIn, overlap, reallocate, sharesOf, variantFinder, type Allocation, type BucketRange } from './allocation.ts';
import { seeded } from './testing/random.ts';

describe('reallocating', () => {
  it('gives each variant its share of all buckets, from the first on', () => {
    assert.deepEqual(reallocate({}, { control: 0.05, treatment: 0.05 }), { control: [[0, 50_000]], treatment: [[50_000, 100_000]] });
    assert.deepEqual(sharesOf(reallocate({}, { a: 0.57, b: 0.29, c: 0.000001 })), { a: 0.57, b: 0.29, c: 0.000001 });
    assert.equal(bucketsIn(Object.values(reallocate({}, { a: 1 / 3, b: 1 / 3, c: 1 / 3 })).flat()), 999_999);
  });

  it('grows into what is free, and shrinks from the end', () => {
    const first = reallocate({}, { control: 0.1, treatment: 0.1 });
    const grown = reallocate(first, { control: 0.1, treatment: 0.3 });
    assert.deepEqual(grown, { control: [[0, 100_000]], treatment: [[100_000, 400_000]] });
    assert.deepEqual(reallocate(grown, { control: 0.05, treatment: 0.3, other: 0.1 }), { control: [[0, 50_000]], treatment: [[100_000, 400_000]], other: [[50_000, 100_000], [400_000, 450_000]] });
    assert.deepEqual(reallocate(grown, { treatment: 0 }), { treatment: [] });
  });

  it('leaves what others of the group have', () => {
    assert.deepEqual(reallocate({}, { on: 0.3 }, [[0, 100_000], [300_000, 800_000]]), { on: [[100_000, 300_000], [800_000, 900_000]] });
  });

  it('refuses shares that are none, and more than there is', () => {
    for (const share of [-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => reallocate({}, { on: share }), { name: 'RangeError', message: `The share of on is ${share}: give a number from 0 to 1.` });
    assert.throws(() => reallocate({}, { a: 0.6, b: 0.5 }), { message: 'The shares come to 110%, and 100% can be had: ask for less.' });
    assert.throws(() => reallocate({}, { a: 0.6 }, [[0, 500_000]]), { message: 'The shares come to 60%, and 50% can be had: ask for less, or shrink another experiment of the group.' });
  });

  it('moves nobody whose share does not shrink, however often shares change', () => {
    const random = seeded(7);
    const names = ['a', 'b', 'c', 'd'];
    const probes = Array.from({ length: 5000 }, (_, at) => at * 200 + 3);
    const others: BucketRange[] = [[250_000, 300_000], [999_990, 1_000_000]];
    let allocation: Allocation = {};
    for (let step = 0; step < 200; step++) {
      const shares = Object.fromEntries(names.filter(() => random() < 0.8).map((name) => [name, Math.floor(random() * 230_000) / 1_000_000]));
      const next = reallocate(allocation, shares, others);
      const [before, after] = [variantFinder(allocation), variantFinder(next)];
      for (const probe of probes) {
        const was = before(probe);
        if (was !== undefined && (shares[was] ?? 0) >= (sharesOf(allocation)[was] ?? 0)) assert.equal(after(probe), was);
      }
      for (const name of names) assert.equal(Math.round((sharesOf(next)[name] ?? 0) * 1e6), Math.round((shares[name] ?? 0) * 1e6));
      assert.equal(overlap([...Object.values(next).flat(), ...others]), undefined);
      allocation = next;
    }
  });
});

describe('finding a variant', () => {
  it('goes by the bucket, with the end of a range outside of it', () => {
    const find = variantFinder({ b: [[10, 20], [30, 40]], a: [[20, 30], [999_999, 1_000_000]] });
    assert.deepEqual([0, 9, 10, 19, 20, 29, 30, 39, 40, 999_998, 999_999].map(find), [undefined, undefined, 'b', 'b', 'a', 'a', 'b', 'b', undefined, undefined, 'a']);
    assert.equal(variantFinder({})(5), undefined);
  });
});
