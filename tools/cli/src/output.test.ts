import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { MAIN } from './testing/served.ts';

/** A device that is always full; Linux has it. */
const FULL = '/dev/full';

test('output that cannot be written is an error', { skip: existsSync(FULL) ? false : `needs ${FULL}, which this machine has not` }, () => {
  const full = openSync(FULL, 'w');
  try {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'completion', 'bash'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
    assert.deepEqual([status, stderr], [1, 'talaria: The output could not be written (ENOSPC): write it elsewhere.\n']);
  } finally {
    closeSync(full);
  }
});
