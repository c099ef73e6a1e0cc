import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methodPriority, priorityInBaggage } from './priority.ts';

test('the priority of a call stands in its baggage', () => {
  assert.equal(priorityInBaggage(undefined), undefined);
  assert.equal(priorityInBaggage(''), undefined);
  assert.equal(priorityInBaggage('talaria-priority=critical'), 'critical');
  assert.equal(priorityInBaggage('a=b, talaria-priority = sheddable ;p=1,c=d'), 'sheddable');
  assert.equal(priorityInBaggage('talaria-priority=critical,talaria-priority=default'), 'default', 'the last one counts');
  assert.equal(priorityInBaggage('my-talaria-priority=critical'), undefined);
  assert.equal(priorityInBaggage('x=1,talaria-priority=critical,my-talaria-priority=sheddable'), 'critical');
  for (const wrong of ['urgent', '', 'criticalx', 'critical%20']) assert.equal(priorityInBaggage(`talaria-priority=${wrong}`), undefined, wrong);
  assert.equal(priorityInBaggage('talaria-priority'), undefined);
});

test('a method has the priority that its contract gives it', () => {
  assert.equal(methodPriority(undefined), undefined);
  assert.equal(methodPriority({ priority: 'sheddable' }), 'sheddable');
  const generated = (...numbers: number[]): object => ({ _unknownFields: { [52004 << 3]: numbers.map((number) => Uint8Array.of(number)) } });
  assert.deepEqual([0, 1, 2, 3, 9].map((number) => methodPriority(generated(number))), [undefined, 'critical', 'default', 'sheddable', undefined]);
  assert.equal(methodPriority(generated(1, 3)), 'sheddable', 'the last one counts');
});
