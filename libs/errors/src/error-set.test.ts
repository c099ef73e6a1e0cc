import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { badRequest, ErrorSet, fromWire, internal, isUnforeseen, notFound, publicError, rateLimited, ServiceError, timeout, toProblem, toWire, unavailable } from './index.ts';

const set = (...errors: unknown[]): ErrorSet<number> => new ErrorSet(errors.map((error, key) => ({ key, error })));

test('a set lists its errors with their keys, and is an AggregateError', () => {
  const [one, other] = [notFound('account', 'There is no account a.'), new Error('boom')];
  const errors = new ErrorSet([{ key: 'account', error: one }, { key: 'rates', error: other }, { key: 'text', error: 'thrown' }]);
  assert.ok(errors instanceof AggregateError && errors instanceof Error);
  assert.equal(errors.name, 'ErrorSet');
  assert.equal(errors.message, 'account: There is no account a.; rates: boom; text: thrown');
  assert.deepEqual(errors.errors, [one, other, 'thrown']);
  assert.deepEqual([errors.size, errors.of('rates'), errors.of('account')], [3, other, one]);
  assert.match(set(...Array.from({ length: 12 }, () => one)).message, /; 9: There is no account a\.; and 2 more$/);
});

describe('what callers see of a set', () => {
  test('a single error is itself', () => {
    const error = notFound('account', 'None.', { params: { id: '7' } });
    assert.equal(set(error).combined, error);
  });

  test('the code of all, if they agree; of params, what they agree on', () => {
    const { combined } = set(notFound('account', 'No a.', { params: { id: 'a' } }), notFound('account', 'No b.', { params: { id: 'b' } }), notFound('account', 'No c.', { hops: 2 }));
    assert.deepEqual([combined.code, combined.message, combined.params, combined.hops], ['not_found.account', 'No a. (and 2 more errors)', {}, 2]);
    assert.equal(set(notFound('account', 'x'), notFound('card', 'y')).combined.code, 'not_found');
    assert.deepEqual(set(unavailable('db', 'x', { params: { db: 'a' } }), unavailable('db', 'x', { params: { db: 'a' } })).combined.params, { db: 'a' });
  });

  test('else the most severe, whatever comes first', () => {
    const code = (...errors: unknown[]): string => set(...errors).combined.code;
    assert.equal(code(notFound('a', 'x'), unavailable('b', 'y')), 'unavailable.b');
    assert.equal(code(unavailable('b', 'y'), notFound('a', 'x'), timeout('c', 'z')), 'unavailable.b');
    assert.equal(code(badRequest('a', 'x'), internal('b', 'y'), unavailable('c', 'z')), 'internal_service.b');
    assert.equal(code(unavailable('a', 'x'), unavailable('b', 'x'), badRequest('c', 'x')), 'unavailable');
    assert.equal(code(new DOMException('given up', 'AbortError'), notFound('a', 'x')), 'not_found.a');
    assert.equal(code(new DOMException('late', 'TimeoutError'), notFound('a', 'x')), 'timeout.deadline');
    assert.equal(code(unavailable('a', 'x'), new ServiceError('unknown.x', 'x')), 'unknown.x');
  });

  test('nothing of what was not thrown on purpose, over gRPC and over HTTP', () => {
    const errors = set(notFound('account', 'None.'), new Error('password=secret'), set(new TypeError('secret too')));
    const { combined } = errors;
    assert.deepEqual([combined.code, combined.message], ['internal_service', 'internal error (and 2 more errors)']);
    const { status, message, trailer } = toWire(combined);
    assert.equal(fromWire(status, message, trailer).code, 'internal_service');
    assert.doesNotMatch(JSON.stringify([message, Buffer.from(trailer.get('grpc-status-details-bin') ?? '').toString('latin1'), toProblem(combined)]), /secret/);
    assert.equal(combined.cause, errors, 'the log has it all');
    assert.deepEqual([isUnforeseen(errors), isUnforeseen(set(notFound('a', 'x'))), isUnforeseen(set()), set().combined.code], [true, false, true, 'internal_service']);
  });

  test('a repeat makes sense only if it does for each, and after the longest of their delays', () => {
    assert.equal(set(unavailable('a', 'x'), notFound('b', 'y')).combined.retryable, false);
    const { retryable, retryAfterMs } = set(rateLimited('a', 'x', { retryAfterMs: 5 }), unavailable('b', 'y', { retryAfterMs: 9 }), unavailable('c', 'z')).combined;
    assert.deepEqual([retryable, retryAfterMs], [true, 9]);
  });

  test('violations of all that decide', () => {
    const violation = (field: string) => ({ violations: [{ field, description: 'is odd' }] });
    const { combined } = set(badRequest('param', 'x', violation('a')), badRequest('param', 'y', violation('b')));
    assert.deepEqual(combined.violations.map(({ field }) => field), ['a', 'b']);
  });
});

test('every error has a public face', () => {
  const known = notFound('account', 'None.');
  assert.equal(publicError(known), known);
  assert.equal(publicError(new DOMException('x', 'AbortError')).code, 'cancelled.call');
  assert.equal(publicError(new DOMException('x', 'TimeoutError')).code, 'timeout.deadline');
  assert.deepEqual([publicError('boom').code, publicError('boom').message], ['internal_service', 'internal error']);
});
