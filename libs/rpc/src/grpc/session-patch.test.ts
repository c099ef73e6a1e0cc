import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applySessionPatch } from './session-patch.ts';

it('finds the internals of grpc-js that it changes', () => {
  assert.equal(applySessionPatch(), true);
});
