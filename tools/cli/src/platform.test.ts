import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PlatformClient } from '@talaria/service';
import { withPlatform } from './platform.ts';

it('closes a platform, also one that connects after the user has gone', async () => {
  const stopping = new AbortController();
  const { promise: connecting, resolve: connect } = Promise.withResolvers<PlatformClient>();
  const closed = Promise.withResolvers<void>();
  const platform = { close: () => Promise.resolve(closed.resolve()) } as PlatformClient;

  const used = withPlatform({ signal: stopping.signal }, () => assert.fail('nobody waits for it'), () => connecting);
  stopping.abort('SIGINT');
  await assert.rejects(used, (reason) => reason === 'SIGINT');
  connect(platform);
  await closed.promise;
});
