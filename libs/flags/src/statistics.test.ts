import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUCKETS, bucketOf, bucketsOf } from '@talaria/base';
import { reallocate, variantFinder, type Allocation } from './allocation.ts';
import { readExperiment } from './experiment.ts';

// Everything here is computed from fixed names: what passes once always does, on any machine.

const SUBJECTS = 1_000_000;
const EXPERIMENTS = 20;
const ids = Array.from({ length: SUBJECTS }, (_, at) => `user_${at.toString(36).padStart(5, '0')}`);
const names = Array.from({ length: EXPERIMENTS }, (_, at) => `experiment-${at + 1}`);
/** The bucket of every subject, in every experiment: what all tests look at. */
const buckets = names.map((name) => {
  const bucketFor = bucketsOf(`experiments/${name}`);
  return Int32Array.from(ids, bucketFor);
});

/** How far counts are from all being equal. */
function chiSquare(counts: Int32Array): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** What χ² stays below in 99.99 of 100 cases of pure chance (Wilson and Hilferty's approximation). */
function limitOf(degrees: number, z = 3.719): number {
  return degrees * (1 - 2 / (9 * degrees) + z * Math.sqrt(2 / (9 * degrees))) ** 3;
}

describe(`${SUBJECTS} subjects in ${EXPERIMENTS} experiments`, () => {
  it('are spread fairly, over 1,000 equal parts of the buckets', () => {
    const all = buckets.map((each) => {
      const counts = new Int32Array(1000);
      for (let at = 0; at < SUBJECTS; at++) counts[Math.floor((each[at] ?? 0) / 1000)]!++;
      return chiSquare(counts);
    });
    for (const [at, value] of all.entries()) assert.ok(value < limitOf(999), `${names[at]}: χ² = ${value}`);
    // Nor suspiciously evenly, as counting up would: the mean of χ² is its degrees of freedom.
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    assert.ok(Math.abs(mean - 999) < 4 * Math.sqrt((2 * 999) / EXPERIMENTS), `the mean of χ² is ${mean}`);
  });

  it('get the variants that the shares say, as experiments assign them', () => {
    const shares = { control: 0.5, blue: 0.3, green: 0.15, red: 0.05 };
    for (const [at, name] of names.entries()) {
      const { variantOf } = readExperiment(name, JSON.stringify({ key: 'customer', allocation: reallocate({}, shares) }));
      const find = variantFinder(reallocate({}, shares));
      const counts = new Map<string, number>();
      // The documents assign by these buckets, and no others.
      for (let subject = 0; subject < SUBJECTS; subject += 997) assert.equal(variantOf(ids[subject] ?? '', {}), find(buckets[at]?.[subject] ?? -1));
      for (const bucket of buckets[at] ?? []) {
        const variant = find(bucket) ?? 'none';
        counts.set(variant, (counts.get(variant) ?? 0) + 1);
      }
      const value = Object.entries(shares).reduce((sum, [variant, share]) => sum + ((counts.get(variant) ?? 0) - share * SUBJECTS) ** 2 / (share * SUBJECTS), 0);
      assert.ok(value < limitOf(3), `${name}: χ² = ${value}, ${JSON.stringify([...counts])}`);
    }
  });

  it('are in one experiment whatever they are in another: no two are correlated', () => {
    const PARTS = 10;
    const parts = buckets.map((each) => each.map((bucket) => Math.floor((bucket * PARTS) / BUCKETS)));
    for (let one = 0; one < EXPERIMENTS; one++) {
      for (let other = 0; other < one; other++) {
        const [a, b] = [parts[one] as Int32Array, parts[other] as Int32Array];
        const counts = new Int32Array(PARTS * PARTS);
        // Every fifth subject is enough for 190 pairs: still 2,000 in each of 100 cells.
        for (let at = 0; at < SUBJECTS; at += 5) counts[(a[at] ?? 0) * PARTS + (b[at] ?? 0)]!++;
        const value = chiSquare(counts);
        assert.ok(value < limitOf(PARTS * PARTS - 1, 4.5), `${names[one]} and ${names[other]}: χ² = ${value}`);
      }
    }
  });

  it('stay where they are while shares grow, and leave only as the share of their own variant shrinks', () => {
    const steps = [
      { control: 0.01, treatment: 0.01 },
      { control: 0.05, treatment: 0.05 },
      { control: 0.25, treatment: 0.25 },
      { control: 0.25, treatment: 0.5 },
      { control: 0.1, treatment: 0.6 },
      { control: 0.4, treatment: 0.6 },
    ];
    for (const each of buckets) {
      let before: Allocation = {};
      let last: Record<string, number> = {};
      for (const shares of steps) {
        const after = reallocate(before, shares);
        const [was, is] = [variantFinder(before), variantFinder(after)];
        let left = 0;
        for (let at = 0; at < SUBJECTS; at += 10) {
          const bucket = each[at] ?? -1;
          const variant = was(bucket);
          if (variant === undefined || is(bucket) === variant) continue;
          left++;
          assert.ok((shares[variant as keyof typeof shares] ?? 0) < (last[variant] ?? 0), `${ids[at]} left ${variant}`);
        }
        // From a quarter to a tenth: 15% of all leave, and nobody else.
        assert.ok(left === 0 || Math.abs(left - 15_000) < 500, String(left));
        [before, last] = [after, shares];
      }
    }
  });

  it('are in one experiment of a group at most, and as many as its share says', () => {
    let taken: readonly (readonly [number, number])[] = [];
    const group = names.slice(0, 5).map((name) => {
      const allocation = reallocate({}, { control: 0.1, treatment: 0.1 }, taken);
      taken = [...taken, ...Object.values(allocation).flat()];
      return readExperiment(name, JSON.stringify({ key: 'customer', group: 'checkout', allocation }));
    });
    const counts = new Int32Array(group.length);
    const STEP = 10;
    for (let at = 0; at < SUBJECTS; at += STEP) {
      const found = group.flatMap(({ variantOf }, index) => (variantOf(ids[at] ?? '', {}) === undefined ? [] : [index]));
      assert.ok(found.length === 1, `${ids[at]} is in ${found.length}`);
      counts[found[0] ?? 0]!++;
    }
    assert.ok(chiSquare(counts) < limitOf(group.length - 1), JSON.stringify([...counts]));
  });
});

describe('principals under gateway rules', () => {
  const rules = Array.from({ length: EXPERIMENTS }, (_, at) => `canary-${at + 1}.0.0`);
  it('are in the share of a rule, fairly, from the step at which it first reaches them on', () => {
    const shares = [0, 0.01, 0.05, 0.25, 0.5, 1];
    for (const rule of rules) {
      const bucketFor = bucketsOf(rule);
      // How many are in from each step on: those whom it reaches first. Steps are as wide as what they add.
      const reached = new Int32Array(shares.length);
      for (const id of ids) reached[shares.findIndex((share) => bucketFor(id) < share * BUCKETS)]!++;
      const value = shares.slice(1).reduce((sum, share, at) => {
        const expected = (share - (shares[at] ?? 0)) * SUBJECTS;
        return sum + ((reached[at + 1] ?? 0) - expected) ** 2 / expected;
      }, 0);
      assert.ok(reached[0] === 0 && value < limitOf(shares.length - 2), `${rule}: χ² = ${value}, ${JSON.stringify([...reached])}`);
      for (const id of ids.slice(0, 10_000)) {
        const inside = shares.map((share) => bucketOf(rule, id) < share * BUCKETS);
        if (inside.lastIndexOf(false) > inside.indexOf(true)) assert.fail(`${id} left ${rule}`);
      }
    }
  });

  it('are in a rule whatever they are in an experiment of the same name', () => {
    const counts = new Int32Array(100);
    for (let at = 0; at < SUBJECTS; at += 10) counts[Math.floor(bucketOf('experiment-1', ids[at] ?? '') / 100_000) * 10 + Math.floor((buckets[0]?.[at] ?? 0) / 100_000)]!++;
    assert.ok(chiSquare(counts) < limitOf(99), String(chiSquare(counts)));
  });
});
