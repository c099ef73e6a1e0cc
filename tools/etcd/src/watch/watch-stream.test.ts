import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WatchResponse } from '../messages.ts';
import { createMemoryPersistence } from '../store/persistence.ts';
import { NO_LEASE } from '../store/record.ts';
import { createStore } from '../store/store.ts';
import { createWatchStream } from './watch-stream.ts';

/** A stream to a reader that can stop taking. */
function setUp() {
  const store = createStore(createMemoryPersistence());
  const sent: WatchResponse[] = [];
  const reader = { takes: true };
  const stream = createWatchStream(
    {
      write(response) {
        sent.push(response);
        return reader.takes;
      },
    },
    { store, header: (revision) => ({ revision }), fragmentBytes: 1000 },
  );
  store.onCommit(stream.pump);
  const put = (key: string): void => store.write((writer) => writer.put(key, Buffer.from('v'), NO_LEASE));
  const keys = (): (string | undefined)[] => sent.flatMap(({ events = [] }) => events.map(({ kv }) => kv.key.toString()));
  return { store, sent, reader, stream, put, keys };
}

test('a reader that takes nothing costs nothing, and gets everything in order when it takes again', () => {
  const { sent, reader, stream, put, keys } = setUp();
  stream.receive({ create_request: { key: Buffer.from('k'), range_end: Buffer.from('l') } });
  reader.takes = false;
  put('k0');
  for (let n = 1; n < 100; n++) put(`k${n}`);
  assert.equal(sent.length, 2);
  reader.takes = true;
  stream.ready();
  assert.deepEqual(keys(), Array.from({ length: 100 }, (_, n) => `k${n}`));
});

test('a reader that falls behind a compaction is told so, and its other watches go on', async () => {
  const { store, sent, reader, stream, put, keys } = setUp();
  stream.receive({ create_request: { key: Buffer.from('k') } });
  reader.takes = false;
  put('k');
  put('k');
  put('k');
  await store.compact(store.revision());
  reader.takes = true;
  stream.ready();
  assert.deepEqual(sent.at(-1), { header: { revision: 0 }, watch_id: '0', canceled: true, compact_revision: 4 });
  stream.receive({ create_request: { key: Buffer.from('k') } });
  put('k');
  assert.deepEqual(keys(), ['k', 'k']);
});

test('asked for progress it answers only when everything up to that revision was sent', () => {
  const { sent, reader, stream, put } = setUp();
  stream.receive({ create_request: { key: Buffer.from('k') } });
  reader.takes = false;
  put('k');
  put('k');
  stream.receive({ progress_request: {} });
  assert.equal(sent.length, 2);
  reader.takes = true;
  stream.ready();
  assert.equal(sent[2]?.events?.length, 1);
  assert.deepEqual(sent[3], { header: { revision: 3 }, watch_id: '-1' });
});

test('reports progress of quiet watches that asked for it', () => {
  const { sent, stream, put } = setUp();
  stream.receive({ create_request: { key: Buffer.from('k'), progress_notify: true } });
  stream.receive({ create_request: { key: Buffer.from('other') } });
  put('k');
  const before = sent.length;
  stream.reportProgress();
  assert.equal(sent.length, before, 'it heard something since');
  put('unwatched');
  stream.reportProgress();
  assert.deepEqual(sent.slice(before), [{ header: { revision: 3 }, watch_id: '0' }]);
});
