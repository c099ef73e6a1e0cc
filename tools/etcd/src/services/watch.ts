import { type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type WatchRequest, type WatchResponse } from '../messages.ts';
import { createWatchStream } from '../watch/watch-stream.ts';
import { GRPC_OVERHEAD_BYTES, MAX_REQUEST_BYTES, type ServerState } from './server-state.ts';

/** The Watch service. `progressIntervalMs` is how often a quiet watch that asked for it hears how far it is. */
export function watchService({ store, header }: ServerState, progressIntervalMs: number): UntypedServiceImplementation {
  return {
    Watch(stream: ServerDuplexStream<WatchRequest, WatchResponse>) {
      const watches = createWatchStream({ write: (response) => stream.write(response) }, { store, header, fragmentBytes: MAX_REQUEST_BYTES + GRPC_OVERHEAD_BYTES });
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
