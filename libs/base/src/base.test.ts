import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutableSetting, newId, sleep } from './index.ts';

test('listeners of a setting hear of changes until they stop', () => {
  const setting = mutableSetting(1);
  const heard: number[] = [];
  const stop = setting.onChange((value) => heard.push(value));
  for (const value of [1, 2, 2, 3]) setting.set(value);
  stop();
  setting.set(4);
  assert.deepEqual(heard, [2, 3]);
});

test('ids are prefixed, unique, and sorted by when they were made', () => {
  const ids = Array.from({ length: 1000 }, () => newId('acc'));
  assert.match(ids[0] ?? '', /^acc_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual([...new Set(ids)].sort(), ids);
});

test('a sleep ends with its signal', async () => {
  const controller = new AbortController();
  const sleeping = sleep(1e6, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(sleep(1e6, { signal: controller.signal }), /enough/);
});
