import assert from 'node:assert/strict';
import { test } from 'node:test';
import { currentCall, runInCall } from '@talaria/context';
import type { Registry } from '@talaria/discovery';
import { unavailable } from '@talaria/errors';
import { nobodyServes } from './nobody-serves.ts';

test('what is served is asked once for all calls that fail, and whoever was first may hang up', async () => {
  let asked = 0;
  let answer = (): void => {};
  const registry: Pick<Registry, 'services'> = {
    // As one in etcd: it is asked as long as the call goes on within which it is asked.
    services() {
      asked++;
      const { signal } = currentCall();
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
        answer = () => resolve(new Map([['account.v1.AccountService', [{ id: '10.0.0.7:4000', addresses: [] }]]]));
      });
    },
  };
  const absence = nobodyServes(() => registry as Registry);
  const error = unavailable('no_instances', 'No instance serves x.v1.X', { params: { contract: 'x.v1.X' } });
  const impatient = new AbortController();
  const first = runInCall({ signal: impatient.signal }, () => absence.explain(error, 'x.v1.X'));
  const second = absence.explain(error, 'x.v1.X');
  impatient.abort();
  answer();
  for (const explained of await Promise.all([first, second])) assert.match(String(explained), /served now are account\.v1\.AccountService/);
  assert.equal(asked, 1);
});
