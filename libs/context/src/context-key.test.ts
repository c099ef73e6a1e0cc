import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { context as otel, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { baggageKey, contextKey, currentCall, detached, runInCall } from './index.ts';

const turn = (): Promise<void> => new Promise(setImmediate);

describe('a context key', () => {
  const shard = contextKey<number>('shard');

  test('has the value of the nearest run around the code, across awaits, and none outside', async () => {
    assert.equal(shard.get(), undefined);
    const seen = await shard.run(1, async () => {
      await turn();
      const inner = shard.run(2, () => shard.get());
      return [shard.get(), inner, shard.get(), shard.run(undefined, () => shard.get())];
    });
    assert.deepEqual(seen, [1, 2, 1, undefined]);
    assert.equal(shard.get(), undefined);
  });

  test('keeps apart what runs side by side', async () => {
    const seen = await Promise.all(
      [1, 2, 3].map((value) =>
        shard.run(value, async () => {
          await turn();
          return shard.get();
        }),
      ),
    );
    assert.deepEqual(seen, [1, 2, 3]);
  });

  test('is its own, whatever others are called, and leaves the call as it is', () => {
    const other = contextKey<number>('shard');
    runInCall({ requestId: 'a' }, () =>
      shard.run(1, () => {
        assert.equal(other.get(), undefined);
        assert.equal(currentCall().requestId, 'a');
        runInCall({ requestId: 'b' }, () => assert.equal(shard.get(), 1));
        assert.equal(detached(() => shard.get()), undefined);
      }),
    );
  });

  test('passes on what the function throws', () => {
    assert.throws(
      () =>
        shard.run(1, () => {
          throw new Error('as it is');
        }),
      /as it is/,
    );
    assert.equal(shard.get(), undefined);
  });
});

describe('a baggage key', () => {
  const tenant = baggageKey('tenant');
  const level = baggageKey<number>('level', {
    parse(text) {
      if (!/^\d+$/.test(text)) throw new Error('no number');
      return Number(text);
    },
  });
  const inBaggage = <T>(entries: Record<string, string>, fn: () => T): T =>
    otel.with(propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, { value }])))), fn);

  test('is an entry of the baggage, beside those of others', () => {
    inBaggage({ theirs: 'x' }, () =>
      level.run(7, () => {
        assert.equal(level.get(), 7);
        assert.deepEqual(propagation.getActiveBaggage()?.getAllEntries().map(([name, { value }]) => [name, value]), [['theirs', 'x'], ['level', '7']]);
        assert.equal(level.run(undefined, () => level.get()), undefined);
        assert.equal(level.get(), 7);
      }),
    );
    assert.equal(level.get(), undefined);
  });

  test('takes what came malformed or too large for none', () => {
    inBaggage({ level: 'high', tenant: 'x'.repeat(257) }, () => {
      assert.equal(level.get(), undefined);
      assert.equal(tenant.get(), undefined);
    });
    inBaggage({ level: '3', tenant: 'x'.repeat(256) }, () => {
      assert.equal(level.get(), 3);
      assert.equal(tenant.get()?.length, 256);
    });
  });

  test('refuses a value, and a sum of them, that is too large, with the fix', () => {
    assert.throws(() => tenant.run('é'.repeat(50), () => {}), { name: 'RangeError', message: 'The value of the baggage key tenant has 300 bytes and may have 256: carry an id instead, or raise its maxBytes.' });
    const large = baggageKey('large', { maxBytes: 10_000 });
    assert.throws(() => large.run('x'.repeat(8_192), () => {}), /With large there would be 8198 bytes of baggage, and 8192 may travel: carry less\./);
    large.run('x'.repeat(8_192 - 'large='.length), () => assert.throws(() => tenant.run('', () => {}), RangeError));
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 'v']));
    inBaggage(many, () => {
      assert.throws(() => tenant.run('a', () => {}), /With tenant there would be 65 entries of baggage, and 64 may travel: carry fewer keys\./);
      assert.equal(baggageKey('k3').run('new', () => baggageKey('k3').get()), 'new');
    });
  });

  test('needs a name that can stand in a header', () => {
    for (const name of ['', 'a b', 'a,b', 'a=b', 'é', 'a;b']) assert.throws(() => baggageKey(name), { name: 'TypeError', message: /cannot stand in a header: use letters/ });
  });
});
