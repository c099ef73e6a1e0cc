import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CreateAccountRequest } from '@talaria/contracts/account/v1/account';
import { refuseInvalidUtf8 } from './strict-utf8.ts';

it('makes a message with invalid UTF-8 malformed, and reads all that is valid', () => {
  refuseInvalidUtf8();
  assert.throws(() => CreateAccountRequest.decode(Uint8Array.from([0x0a, 2, 0xff, 0xfe])));
  const request = { description: '\uFEFFCafé ☕ 🧚' };
  assert.deepEqual(CreateAccountRequest.decode(CreateAccountRequest.encode(request).finish()), request);
});
