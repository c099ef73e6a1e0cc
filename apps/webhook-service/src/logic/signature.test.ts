import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { newSecret, signedHeaders } from './signature.ts';

test('the library of Standard Webhooks verifies what is signed', () => {
  const secret = newSecret();
  const body = JSON.stringify({ type: 'transaction.created', data: { description: 'Café ☕' } });
  const headers = signedHeaders(secret, 'evt_1', Date.now(), body);
  assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body));
  assert.throws(() => new Webhook(secret).verify(`${body} `, headers));
  assert.throws(() => new Webhook(newSecret()).verify(body, headers));
});

test('secrets differ and have the length that the specification asks for', () => {
  const secret = newSecret();
  assert.notEqual(secret, newSecret());
  const bytes = Buffer.from(secret.replace(/^whsec_/, ''), 'base64').length;
  assert.ok(bytes >= 24 && bytes <= 64, String(bytes));
});
