import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInCall } from '@talaria/context';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { hasCode, unauthorized } from '@talaria/errors';
import { eventually, fake } from '@talaria/testing';
import { passportSource } from './passport-source.ts';

test('a passport is got once for all who wait, and whoever was first may hang up', async () => {
  const answer = Promise.withResolvers<void>();
  const auth = fake(AuthServiceDefinition, {
    issueToken: async () => ({ accessToken: 'outer' }),
    exchangeToken: async () => {
      await answer.promise;
      return { passport: 'inner', expiresIn: 300 };
    },
  });
  const source = passportSource(auth, 'dev', 'dev-secret');
  const impatient = new AbortController();
  const first = runInCall({ signal: impatient.signal }, () => source(impatient.signal));
  const second = source();
  await eventually(() => auth.calls.length === 2);
  impatient.abort();
  await assert.rejects(first, { name: 'AbortError' });
  answer.resolve();
  assert.equal(await second, 'inner');
  assert.equal(await source(), 'inner');
  assert.deepEqual(auth.calls.map(({ method }) => method), ['issueToken', 'exchangeToken']);
});

test('a failure is not kept', async () => {
  let known = false;
  const auth = fake(AuthServiceDefinition, {
    issueToken: async () => {
      if (!known) throw unauthorized('client', 'Not known.');
      return { accessToken: 'outer' };
    },
    exchangeToken: async () => ({ passport: 'inner', expiresIn: 300 }),
  });
  const source = passportSource(auth, 'dev', 'dev-secret');
  await assert.rejects(source(), (error) => hasCode(error, 'unauthorized.client'));
  known = true;
  assert.equal(await source(), 'inner');
});
