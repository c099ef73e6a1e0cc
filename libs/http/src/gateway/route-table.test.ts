import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutableSetting, silentLogger, type Clock } from '@talaria/base';
import { libraryContract } from '../testing/library-contract.ts';
import { type ContractSource } from '../transcode/routes.ts';
import { routeTable } from './route-table.ts';

/** A clock whose timers fire when told. */
function timers(): Clock & { readonly pending: Map<() => void, number> } {
  const pending = new Map<() => void, number>();
  return {
    pending,
    now: () => 0,
    monotonic: () => 0,
    after(ms, callback) {
      pending.set(callback, ms);
      return () => void pending.delete(callback);
    },
  };
}

describe('routeTable', () => {
  it('remembers what a contract took for 30 s after it is gone', () => {
    const clock = timers();
    const contracts = mutableSetting<readonly ContractSource[]>([libraryContract]);
    const table = routeTable(contracts, { log: silentLogger, clock });
    assert.equal(table.wasThere('GET', '/everything'), false);
    assert.equal(table.published().length, 1);

    contracts.set([]);
    assert.equal(table.find('GET', '/everything'), undefined);
    assert.deepEqual([table.wasThere('GET', '/everything'), table.wasThere('DELETE', '/everything'), table.wasThere('GET', '/nothing')], [true, false, false]);
    assert.deepEqual([...clock.pending.values()], [30_000]);

    contracts.set([libraryContract]);
    assert.equal(table.wasThere('GET', '/everything'), false);
    assert.equal(clock.pending.size, 0);

    contracts.set([]);
    for (const over of [...clock.pending.keys()]) over();
    assert.equal(table.wasThere('GET', '/everything'), false);
    contracts.set([libraryContract]);
    contracts.set([]);
    table.close();
    assert.equal(clock.pending.size, 0);
  });

  it('leaves the paths of the gateway to the gateway', () => {
    const lines: string[] = [];
    const log = { ...silentLogger, warn: (_message: string, fields?: Record<string, unknown>) => void lines.push(JSON.stringify(fields)) };
    const table = routeTable(mutableSetting<readonly ContractSource[]>([libraryContract]), { log });
    assert.equal(table.find('GET', '/docs/shelves'), undefined);
    assert.ok(lines.some((line) => line.includes('ShelveDocs') && line.includes('belongs to the gateway itself')));
    table.close();
  });
});
