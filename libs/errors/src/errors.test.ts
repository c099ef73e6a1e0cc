import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorInfo } from '@talaria/contracts/google/rpc/error_details';
import { Status as RpcStatus } from '@talaria/contracts/google/rpc/status';
import { Metadata, Status } from 'nice-grpc-common';
import { augment, badRequest, ErrorSet, fromWire, hasCode, KINDS, notFound, rateLimited, ServiceError, toProblem, toWire, unavailable, type KindName } from './index.ts';

test('an error keeps code, params, retryability, delay and violations over a hop, and nothing else', () => {
  const sent = new ServiceError('rate_limited.caller', 'Too many.', {
    params: { limit: '10' },
    retryable: false,
    retryAfterMs: 1500,
    violations: [{ field: 'items[1].amount', description: 'is negative' }],
    cause: new Error('a secret'),
  });
  const { status, message, trailer } = toWire(sent);
  const got = fromWire(status, message, trailer);
  assert.equal(status, Status.RESOURCE_EXHAUSTED);
  assert.deepEqual(
    { code: got.code, message: got.message, params: got.params, retryable: got.retryable, retryAfterMs: got.retryAfterMs, violations: got.violations, hops: got.hops },
    { code: sent.code, message: sent.message, params: sent.params, retryable: false, retryAfterMs: 1500, violations: sent.violations, hops: 1 },
  );
  assert.equal(fromWire(got.kind.grpc, got.message, toWire(got).trailer).hops, 2);
  assert.ok(!Buffer.from(trailer.get('grpc-status-details-bin') ?? '').includes('a secret'));
});

test('every kind comes back as itself', () => {
  for (const kind of Object.keys(KINDS) as KindName[]) {
    const { status, message, trailer } = toWire(new ServiceError(`${kind}.thing`, 'x'));
    assert.equal(fromWire(status, message, trailer).code, `${kind}.thing`);
    assert.equal(fromWire(status, message).kind, KINDS[kind]);
  }
});

test('other tools find an ErrorInfo with an UPPER_SNAKE reason', () => {
  const bytes = toWire(notFound('account', 'None.')).trailer.get('grpc-status-details-bin');
  const [detail] = RpcStatus.decode(bytes as Uint8Array).details;
  assert.equal(detail?.typeUrl, 'type.googleapis.com/google.rpc.ErrorInfo');
  assert.equal(ErrorInfo.decode(detail?.value ?? new Uint8Array()).reason, 'NOT_FOUND_ACCOUNT');
});

test("another platform's error, and a broken trailer, keep their status", () => {
  assert.equal(fromWire(Status.ABORTED, 'x').code, 'conflict');
  assert.equal(fromWire(Status.DATA_LOSS, 'x').code, 'internal_service');
  assert.equal(fromWire(Status.NOT_FOUND, 'x', Metadata({ 'grpc-status-details-bin': Buffer.from([0xff, 0xff]) })).code, 'not_found');
});

test('a trailer stays small whatever the error says', () => {
  const huge = badRequest('x', 'm'.repeat(100_000), { params: { a: 'p'.repeat(100_000) } });
  const bytes = toWire(huge).trailer.get('grpc-status-details-bin') as Uint8Array;
  assert.ok(bytes.length <= 4096, String(bytes.length));
});

test('codes match by prefix, through causes', () => {
  const error = new Error('outer', { cause: unavailable('database', 'Away.') });
  assert.equal(hasCode(error, 'unavailable'), true);
  assert.equal(hasCode(error, 'unavailable.database'), true);
  assert.equal(hasCode(error, 'unavailable.data'), false);
  assert.equal(hasCode('text', 'unavailable'), false);
});

test('augmenting keeps what callers go by', () => {
  const error = augment(rateLimited('x', 'Too many.', { retryAfterMs: 5 }), 'reading accounts');
  assert.equal(error.message, 'reading accounts: Too many.');
  assert.equal(error.code, 'rate_limited.x');
  assert.equal(error.retryAfterMs, 5);
});

test('a code outside the catalogue, also one that Object has, is unknown', () => {
  assert.equal(new ServiceError('constructor.x', 'x').kind, KINDS.unknown);
  assert.equal(new ServiceError('nonsense', 'x').kind, KINDS.unknown);
});

test('a problem document says what is wrong, but not what went wrong inside', () => {
  const problem = toProblem(badRequest('invalid_param', 'limit is negative.', { violations: [{ field: 'limit', description: 'is negative' }] }), 'abc');
  assert.deepEqual(problem, {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'limit is negative.',
    code: 'bad_request.invalid_param',
    params: {},
    violations: [{ field: 'limit', description: 'is negative' }],
    trace_id: 'abc',
  });
  assert.doesNotMatch(JSON.stringify(toProblem(new ServiceError('internal_service.db', 'password=secret'))), /secret/);
});

test('how often a call was tried travels on, whatever the error is wrapped in', () => {
  const below = new ServiceError('unavailable.x', 'Away.', { attempts: 3 });
  const attemptsAfter = (error: ServiceError): number => fromWire(error.kind.grpc, error.message, toWire(error).trailer).attempts;
  assert.equal(attemptsAfter(below), 3);
  assert.equal(attemptsAfter(augment(below, 'reading')), 3);
  assert.equal(attemptsAfter(new ServiceError('internal_service.y', 'Broken.', { cause: new Error('between', { cause: below }) })), 3);
  assert.equal(attemptsAfter(new ServiceError('internal_service.y', 'Broken.', { attempts: 1, cause: below })), 3);
  assert.equal(attemptsAfter(new ErrorSet([{ key: 'a', error: new Error('a') }, { key: 'b', error: below }]).combined), 3);
  const { status, message, trailer } = toWire(below);
  assert.deepEqual([2, 4].map((here) => fromWire(status, message, trailer, undefined, here).attempts), [3, 4]);
  assert.equal(attemptsAfter(unavailable('z', 'Away.')), 0);
  assert.equal(new ServiceError('unavailable', 'x', { attempts: -1 }).attempts, 0);
});
