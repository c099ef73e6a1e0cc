import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moment, momentOrId } from './moment.ts';

test('takes RFC 3339 times, with and without fractions and offsets', () => {
  assert.equal(moment('since', '2026-01-31T12:00:00Z')?.toISOString(), '2026-01-31T12:00:00.000Z');
  assert.equal(moment('since', '2026-01-31T12:00:00.5+01:00')?.toISOString(), '2026-01-31T11:00:00.500Z');
  assert.equal(moment('since', ''), undefined);
});

test('refuses everything else and names the field', () => {
  for (const value of ['yesterday', '2026-01-31', '2026-13-31T12:00:00Z', '2026-01-31T12:00:00', '0']) {
    assert.throws(
      () => moment('before', value),
      { code: 'bad_request.invalid_param', violations: [{ field: 'before', description: 'must be an RFC 3339 time, such as 2026-01-31T12:00:00Z' }] },
      value,
    );
  }
});

test('an id is left as it is', () => {
  assert.equal(momentOrId('since', 'tx_01'), 'tx_01');
});
