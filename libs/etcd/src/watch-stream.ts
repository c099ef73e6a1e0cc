import { systemClock } from '@talaria/base';
import type { IDuplexStream, IWatchRequest, IWatchResponse } from 'etcd3';
import type { Login } from './login.ts';
import type { Members } from './members.ts';
import { outside } from './outside.ts';
import { endOfPrefix, toEntry, type WatchEvent } from './types.ts';

/** What one watch stream is told. */
export interface WatchStreamOptions {
  /** The first revision whose events are wanted. */
  readonly fromRevision: bigint;
  onEvents(events: readonly WatchEvent[]): void;
  /** Called once, unless `close` came first: the stream is dead, for whichever reason. */
  onEnd(reason: string): void;
}

/** One watch. */
export interface WatchStream {
  /** Nothing is called any more. */
  close(): void;
}

/**
 * One watch on one stream of its own. Not etcd3's watcher, which after a break goes on by itself from a revision that may be
 * too late, is silent when the store was replaced, and dies without a word when its revision was compacted.
 */
export function openWatchStream(members: Members, login: Login, prefix: string, createTimeoutMs: number, options: WatchStreamOptions): WatchStream {
  const { fromRevision, onEvents, onEnd } = options;
  let stream: IDuplexStream<IWatchRequest, IWatchResponse> | undefined;
  let over = false;
  let used: string | undefined;

  const close = (): void => {
    over = true;
    cancelTimeout();
    // In this order: etcd3 takes an error of a stream that is still writable for a failure of the host.
    stream?.end();
    stream?.cancel();
  };
  const end = (reason: string): void => {
    if (over) return;
    close();
    onEnd(reason);
  };
  const cancelTimeout = systemClock.after(createTimeoutMs, () => end('etcd did not answer'));

  const onData = (response: IWatchResponse): void => {
    if (over) return;
    if (response.created) cancelTimeout();
    // Before the check below: an answer may create and cancel at once.
    if (response.canceled) {
      login.ended(response.cancel_reason, used);
      const compacted = response.compact_revision !== '0';
      end(compacted ? `the revisions up to ${response.compact_revision} were compacted` : `etcd cancelled it: ${response.cancel_reason || 'no reason given'}`);
      return;
    }
    if (response.created && BigInt(response.header.revision) + 1n < fromRevision) {
      // It would be silent until the new store has as many revisions as the old one had.
      end(`etcd is at revision ${response.header.revision}, before the one to watch from: it has lost its data, or lags behind`);
      return;
    }
    if (response.events.length === 0) return;
    onEvents(response.events.map(({ type, kv }) => (type === 'Delete' ? { type: 'delete', key: kv.key.toString(), revision: BigInt(kv.mod_revision) } : { type: 'put', entry: toEntry(kv) })));
  };

  const open = async (): Promise<void> => {
    await login.ready();
    if (over) return;
    used = login.token();
    const opened = await members.current().watchClient.watch();
    stream = opened;
    opened.on('error', (error) => end(error.message));
    opened.on('end', () => end('etcd ended the stream'));
    opened.on('data', onData);
    if (over) {
      close();
      return;
    }
    opened.write({ create_request: { key: Buffer.from(prefix), range_end: endOfPrefix(prefix), start_revision: String(fromRevision) } });
  };
  void outside(() => open().catch((error: unknown) => end(error instanceof Error ? error.message : String(error))));
  return { close };
}
