import { pullQueue, type PullQueue } from '../pull-queue.ts';

/** How many messages may wait on either side, as a socket's buffers would hold some. */
const ROOM = 4;

/** A queue whose writer waits while there is no room. */
export interface Lane {
  readonly queue: PullQueue<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  /** Lets a waiting writer go on. */
  unblock(): void;
}

/** Makes one; `onReturn` is called when its reader lost interest. */
export function lane(onReturn: () => void = () => {}): Lane {
  let writer: (() => void) | undefined;
  const unblock = (): void => {
    writer?.();
    writer = undefined;
  };
  const queue = pullQueue<Uint8Array>({ onTake: unblock, onReturn });
  return {
    queue,
    unblock,
    write(bytes) {
      queue.push(Buffer.from(bytes));
      if (queue.size < ROOM) return Promise.resolve();
      return new Promise((resolve) => {
        writer = resolve;
      });
    },
  };
}
