import assert from 'node:assert/strict';
import { it } from 'node:test';
import { z } from 'zod';
import { duration, formatDuration, parseDuration } from './index.ts';

it('duration takes what people write, or ms', () => {
  const schema = duration();
  for (const [given, ms] of [['500ms', 500], ['10s', 10_000], ['1.5m', 90_000], ['1h30m', 5_400_000], ['1d', 86_400_000], [250, 250], ['0s', 0]] as const) assert.equal(schema.parse(given), ms);
  for (const wrong of ['', '10', 's', '-1s', '1 s', '1y', '1e3s', -1, Number.NaN, Infinity, null, true, '25d', {}, `${'9'.repeat(400)}s`]) assert.equal(schema.safeParse(wrong).success, false, String(wrong));
});

it('duration keeps to its bounds, and publishes them', () => {
  const schema = duration({ min: 100, max: 60_000 });
  assert.equal(schema.safeParse('99ms').success, false);
  assert.equal(schema.safeParse('61s').error?.issues[0]?.message, 'must be from 100ms to 1m');
  const json = z.toJSONSchema(schema, { io: 'input' });
  assert.deepEqual(json['x-talaria-duration'], { min: 100, max: 60_000 });
  assert.deepEqual(json.anyOf?.map((each) => (typeof each === 'object' ? each.type : each)), ['number', 'string']);
});

it('formatDuration says what parseDuration reads', () => {
  for (const [ms, text] of [[0, '0ms'], [500, '500ms'], [90_000, '1m30s'], [93_784_005, '1d2h3m4s5ms'], [0.5, '0.5ms']] as const) {
    assert.equal(formatDuration(ms), text);
    assert.equal(parseDuration(text), ms);
  }
});
