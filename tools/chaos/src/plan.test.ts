import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';
import { describeFault, planFaults } from './plan.ts';

test('the same seed throws the same faults, another one others, all within the time', () => {
  assert.deepEqual(planFaults(7, 120), planFaults(7, 120));
  assert.notDeepEqual(planFaults(7, 120), planFaults(8, 120));
  const kinds = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const planned = planFaults(seed, 120);
    assert.ok(planned.length >= 40 && planned.length <= 240, String(planned.length));
    for (const { atMs, fault } of planned) {
      assert.ok(atMs >= 0 && atMs < 119_000);
      assert.ok(describeFault(fault).length > 5);
      kinds.add(fault.kind);
    }
  }
  assert.equal(kinds.size, 15, [...kinds].join(', '));
});

test('arguments', () => {
  assert.deepEqual(readArguments(['--seconds', '15', '--seed=7', '--json']), { seconds: 15, seed: 7, json: true, help: false });
  const { seconds, seed } = readArguments([]);
  assert.equal(seconds, 120);
  assert.ok(Number.isInteger(seed) && seed >= 0);
  assert.equal(readArguments(['--help']).help, true);
  assert.throws(() => readArguments(['--seconds=0']), /whole number from 1 to 3600, such as --seconds=6/);
  assert.throws(() => readArguments(['--seed']), /whole number/);
  assert.throws(() => readArguments(['--sedes=1']), /no option --sedes=1/);
});
