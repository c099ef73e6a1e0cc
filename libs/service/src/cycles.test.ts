import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runEtcdCycles } from './testing/etcd-cycles.ts';
import { runMemoryCycles } from './testing/memory-cycles.ts';

const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));

describe('contracts come to a running service, are called and go, while others call one that stays', { timeout: 120_000 }, () => {
  test('1,000 times, with a registry in memory', async (context) => {
    const { calls, before, after } = await runMemoryCycles(1_000, 100);
    context.diagnostic(`${calls} calls of the contract that stays; heap ${before.heap} then ${after.heap}`);
    assert.deepEqual(warnings, []);
  });

  // A thousand: `npx nx run service:cycles`.
  test('200 times, with etcd', async () => {
    await runEtcdCycles(200, 50);
    assert.deepEqual(warnings, []);
  });
});
