import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applyCancelPatch } from './cancel-patch.ts';

it('finds the internals of grpc-js that it changes', () => {
  assert.equal(applyCancelPatch(), true);
});
