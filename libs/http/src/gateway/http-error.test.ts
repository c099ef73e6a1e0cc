import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateLimited } from '@talaria/errors';
import { problemText } from './answer.ts';
import { toHttpError } from './http-error.ts';

test('a request that a service finds too large is 413 and no limit on how often one may ask', () => {
  const error = rateLimited('message_too_large', 'Received message larger than max (5000000 vs 4194304)', { retryable: false });
  assert.equal(toHttpError(error).status, 413);
  assert.equal(toHttpError(rateLimited('caller', 'Too many requests.')).status, 429);
});

test('a service that has too much to do is 503, a caller that calls too often 429, both with Retry-After', () => {
  for (const [code, status] of [['overload', 503], ['deadline', 503], ['concurrency', 503], ['caller', 429], ['method', 429]] as const) {
    const error = toHttpError(rateLimited(code, 'No.', { retryAfterMs: 200 }));
    assert.deepEqual([error.status, error.headers['retry-after']], [status, '1'], code);
  }
  const body = JSON.parse(problemText(toHttpError(rateLimited('overload', 'No.')), undefined)) as { status: number; title: string };
  assert.deepEqual([body.status, body.title], [503, 'Service Unavailable']);
});
