import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unavailable } from '@talaria/service';
import { createClients } from './clients.ts';

describe('createClients', () => {
  it('does not take a database that is away for a client that is not there', async () => {
    const clients = createClients({ find: () => Promise.reject(unavailable('storage', 'away')) }, { enabled: () => true, scopes: () => Promise.resolve(['accounts:read']) });
    await assert.rejects(clients.authenticate('shop', 'x'), { code: 'unavailable.storage' });
    const dev = await clients.authenticate('dev', 'dev-secret');
    assert.deepEqual([dev?.principalId, dev?.scopes], ['user_dev', ['accounts:read']], 'those for development need no database');
    assert.equal(await clients.authenticate('dev', 'x'), undefined);
  });
});
