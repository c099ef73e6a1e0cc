import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateLimited } from '@talaria/errors';
import { toHttpError } from './http-error.ts';

test('a request that a service finds too large is 413 and no limit on how often one may ask', () => {
  const error = rateLimited('message_too_large', 'Received message larger than max (5000000 vs 4194304)', { retryable: false });
  assert.equal(toHttpError(error).status, 413);
  assert.equal(toHttpError(rateLimited('caller', 'Too many requests.')).status, 429);
});
