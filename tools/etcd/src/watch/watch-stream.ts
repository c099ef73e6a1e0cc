import { type ResponseHeader, type WatchCreateRequest, type WatchEvent, type WatchRequest, type WatchResponse } from '../messages.ts';
import { isTombstone, rangeOf, toKeyValue, type KeyRange, type KeyRecord } from '../store/record.ts';
import { type Store } from '../store/store.ts';
import { fragments } from './fragments.ts';

/** Where a watch stream writes to. */
export interface WatchSink {
  /** False: write no more until `ready` was called on the stream. */
  write(response: WatchResponse): boolean;
}

/** What a stream needs from its server. */
export interface WatchOptions {
  readonly store: Store;
  /** Completes a header that has this revision. */
  readonly header: (revision: number) => ResponseHeader;
  /** Why a caller may not watch a range; undefined if it may. */
  readonly refusal?: (range: KeyRange) => string | undefined;
  /** A fragment of a response is at most about this large, in bytes. */
  readonly fragmentBytes: number;
}

/** All watches of one client stream. */
export interface WatchStream {
  receive(request: WatchRequest): void;
  /** Sends what has happened since; to be called after commits, and when the sink takes more again. */
  pump(): void;
  /** The sink takes more again. */
  ready(): void;
  /** To be called each progress interval: tells the watches that asked for it, and that heard nothing since the last call, how far they are. */
  reportProgress(): void;
}

interface Watch {
  readonly id: string;
  readonly range: KeyRange;
  readonly puts: boolean;
  readonly deletes: boolean;
  readonly prevKv: boolean;
  readonly fragment: boolean;
  readonly progress: boolean;
  /** The first revision that was not looked at. A watch queues nothing: the store's history is its queue. */
  next: number;
  quiet: boolean;
}

/** The id in answers that belong to no watch. */
const NO_WATCH = '-1';

/** What one step of catching up looks at and sends; other work comes between two steps. */
const CATCH_UP = { scan: 5000, bytes: 1024 * 1024 };

const FILTER_PUTS = 0;
const FILTER_DELETES = 1;

/** Makes the state behind one Watch call. */
export function createWatchStream(sink: WatchSink, { store, header, refusal, fragmentBytes }: WatchOptions): WatchStream {
  const watches = new Map<string, Watch>();
  let nextId = 0;
  let blocked = false;
  let progressAsked = false;
  let pumpScheduled = false;

  function send(response: WatchResponse): void {
    if (!sink.write(response)) blocked = true;
  }

  function refuse(reason: string): void {
    send({ header: header(store.revision()), watch_id: NO_WATCH, created: true, canceled: true, cancel_reason: reason });
  }

  function create(request: WatchCreateRequest): void {
    // An empty range_end is one key here, unlike in a Range.
    const range = rangeOf({ key: request.key?.length ? request.key : Buffer.from([0]), ...(request.range_end ? { range_end: request.range_end } : {}) }, true);
    const refused = refusal?.(range);
    if (refused !== undefined) return refuse(refused);
    if (typeof range.end === 'string' && range.key >= range.end) return refuse('mvcc: watcher range is empty');
    let id = request.watch_id ?? '0';
    if (id === '0') {
      while (watches.has(String(nextId))) nextId++;
      id = String(nextId++);
    } else if (watches.has(id)) return refuse('mvcc: duplicate watch ID provided on the WatchStream');
    const start = Number(request.start_revision ?? 0);
    const filters = request.filters ?? [];
    watches.set(id, {
      id,
      range,
      puts: !filters.includes(FILTER_PUTS),
      deletes: !filters.includes(FILTER_DELETES),
      prevKv: request.prev_kv ?? false,
      fragment: request.fragment ?? false,
      progress: request.progress_notify ?? false,
      next: start === 0 ? store.revision() + 1 : start,
      quiet: true,
    });
    send({ header: header(store.revision()), watch_id: id, created: true });
    pump();
  }

  function toEvent(watch: Watch, record: KeyRecord): WatchEvent {
    const created = !isTombstone(record) && record.create === record.mod;
    const previous = watch.prevKv && !created ? store.previous(record) : undefined;
    return { type: isTombstone(record) ? 1 : 0, kv: toKeyValue(record), ...(previous ? { prev_kv: toKeyValue(previous) } : {}) };
  }

  /** One step of one watch; false if it has to wait for a later turn. */
  function advance(watch: Watch): boolean {
    if (watch.next < store.compactRevision()) {
      watches.delete(watch.id);
      // etcd sends no revision here either.
      send({ header: header(0), watch_id: watch.id, canceled: true, compact_revision: store.compactRevision() });
      return true;
    }
    const { records, next } = store.history(watch.range, watch.next, CATCH_UP);
    watch.next = next;
    const wanted = records.filter((record) => (isTombstone(record) ? watch.deletes : watch.puts));
    if (wanted.length > 0) {
      const response = { header: header(store.revision()), watch_id: watch.id, events: wanted.map((record) => toEvent(watch, record)) };
      for (const part of watch.fragment ? fragments(response, fragmentBytes) : [response]) send(part);
      watch.quiet = false;
    }
    return next > store.revision();
  }

  const behind = (watch: Watch): boolean => watch.next <= store.revision();

  function pump(): void {
    for (const watch of watches.values()) {
      if (blocked) return;
      if (behind(watch) && !advance(watch)) schedulePump();
    }
    if (progressAsked && !blocked && ![...watches.values()].some(behind)) {
      // Only now is it true that everything up to this revision was sent.
      progressAsked = false;
      send({ header: header(store.revision()), watch_id: NO_WATCH });
    }
  }

  function schedulePump(): void {
    if (pumpScheduled) return;
    pumpScheduled = true;
    setImmediate(() => {
      pumpScheduled = false;
      pump();
    });
  }

  return {
    receive(request) {
      if (request.create_request) create(request.create_request);
      else if (request.cancel_request) {
        const id = request.cancel_request.watch_id ?? '0';
        if (watches.delete(id)) send({ header: header(store.revision()), watch_id: id, canceled: true });
      } else if (request.progress_request) {
        progressAsked = true;
        pump();
      }
    },
    pump,
    ready() {
      blocked = false;
      pump();
    },
    reportProgress() {
      for (const watch of watches.values()) {
        if (watch.progress && watch.quiet && !blocked && !behind(watch)) send({ header: header(store.revision()), watch_id: watch.id });
        watch.quiet = true;
      }
    },
  };
}
