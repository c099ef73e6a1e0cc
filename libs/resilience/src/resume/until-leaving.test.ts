import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runInCall } from '@talaria/context';
import { hasCode, ServiceError } from '@talaria/errors';
import { untilLeaving } from './until-leaving.ts';

async function* numbers(onEnd: () => void): AsyncGenerator<number, void, undefined> {
  try {
    yield 1;
    yield 2;
    await new Promise(() => {});
  } finally {
    onEnd();
  }
}

it('a stream ends as its server begins to leave, in the middle of a wait too, and says that it can be begun anew at once', async () => {
  const leaving = new AbortController();
  const stream = runInCall({ leaving: leaving.signal }, () => untilLeaving(numbers(() => {})));
  assert.equal((await stream.next()).value, 1);
  assert.equal((await stream.next()).value, 2);
  const third = stream.next();
  leaving.abort();
  await assert.rejects(third, (error) => error instanceof ServiceError && hasCode(error, 'unavailable.moved') && error.retryAfterMs === 0);
  let ended = false;
  const late = runInCall({ leaving: leaving.signal }, () => untilLeaving(numbers(() => (ended = true))));
  await assert.rejects(late.next(), /stopping/);
  assert.equal(ended, false, 'what was never begun needs no end');
});

it('outside of a server, and where nobody leaves, it is the stream itself', async () => {
  let ended = false;
  const source = async function* (): AsyncGenerator<number, void, undefined> {
    try {
      yield 1;
      yield 2;
    } finally {
      ended = true;
    }
  };
  const got: number[] = [];
  for await (const message of untilLeaving(source())) got.push(message);
  assert.deepEqual(got, [1, 2]);
  ended = false;
  for await (const _ of untilLeaving(source())) break;
  assert.equal(ended, true, 'its reader left');
});
