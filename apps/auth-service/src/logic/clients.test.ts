import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unavailable } from '@talaria/service';
import { createClients } from './clients.ts';

describe('createClients', () => {
  it('does not take a database that is away for a client that is not there', async () => {
    const clients = createClients({ find: () => Promise.reject(unavailable('storage', 'away')) }, { dev: () => true });
    await assert.rejects(clients.authenticate('shop', 'x'), { code: 'unavailable.storage' });
    assert.equal((await clients.authenticate('dev', 'dev-secret'))?.principalId, 'user_dev', 'those for development need no database');
    assert.equal(await clients.authenticate('dev', 'x'), undefined);
  });
});
