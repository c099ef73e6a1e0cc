import { status, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type WatchRequest, type WatchResponse } from '../messages.ts';
import { EtcdFailure } from '../failure.ts';
import { type KeyRange } from '../store/record.ts';
import { createWatchStream } from '../watch/watch-stream.ts';
import { GRPC_OVERHEAD_BYTES, MAX_REQUEST_BYTES, type ServerState } from './server-state.ts';

/** The codes that a watch may be refused with, as Go spells them. */
const CODES: Readonly<Record<number, string>> = { [status.INVALID_ARGUMENT]: 'InvalidArgument', [status.UNAUTHENTICATED]: 'Unauthenticated', [status.PERMISSION_DENIED]: 'PermissionDenied' };

/** The Watch service. `progressIntervalMs` is how often a quiet watch that asked for it hears how far it is. */
export function watchService({ store, access, header }: ServerState, progressIntervalMs: number): UntypedServiceImplementation {
  return {
    Watch(stream: ServerDuplexStream<WatchRequest, WatchResponse>) {
      // Asked when a watch is made, and never again: as in etcd, a watch outlives the permission that it was made with.
      const refusal = (range: KeyRange): string | undefined => {
        try {
          access(stream.metadata)?.read(range);
          return undefined;
        } catch (error) {
          if (error instanceof EtcdFailure) return `rpc error: code = ${CODES[error.code] ?? 'Unknown'} desc = ${error.details}`;
          throw error;
        }
      };
      const options = { store, header, refusal, fragmentBytes: MAX_REQUEST_BYTES + GRPC_OVERHEAD_BYTES };
      const watches = createWatchStream({ write: (response) => stream.write(response) }, options);
      const stopPumping = store.onCommit(watches.pump);
      const progress = setInterval(watches.reportProgress, progressIntervalMs).unref();
      const stop = (): void => {
        stopPumping();
        clearInterval(progress);
      };
      stream.on('data', (request: WatchRequest) => {
        watches.receive(request);
        // A client that asks and does not read must not grow the queue of answers.
        if (stream.writableNeedDrain) stream.pause();
      });
      stream.on('drain', () => {
        stream.resume();
        watches.ready();
      });
      // A client that has closed its side still hears of its watches, as from etcd: the call ends when it is cancelled.
      stream.on('cancelled', stop);
      stream.on('close', stop);
      stream.on('error', stop);
    },
  };
}
