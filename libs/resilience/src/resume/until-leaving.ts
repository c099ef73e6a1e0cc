import { currentCall } from '@talaria/context';
import { unavailable } from '@talaria/errors';

/**
 * What a handler of an endless stream returns: `messages`, until the server that runs the ambient call begins to stop. Then the stream
 * ends at once with `unavailable.moved`, between two messages, and its client may begin it anew elsewhere (`resumable` does), instead
 * of holding up the stop until it is cut.
 */
export function untilLeaving<T>(messages: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  return until(currentCall().leaving, messages);
}

async function* until<T>(leaving: AbortSignal | undefined, messages: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const moved = (): Error => unavailable('moved', 'This instance is stopping: begin the stream anew, after the last message that came.', { retryAfterMs: 0 });
  const iterator = messages[Symbol.asyncIterator]();
  // One listener for all messages: a race a message would leave something behind each time.
  let leave = (): void => {};
  const onLeaving = (): void => leave();
  leaving?.addEventListener('abort', onLeaving, { once: true });
  let over = false;
  try {
    for (;;) {
      if (leaving?.aborted) throw moved();
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        leave = () => reject(moved());
        iterator.next().then(resolve, reject);
      });
      if (step.done) {
        over = true;
        return;
      }
      yield step.value;
    }
  } finally {
    leaving?.removeEventListener('abort', onLeaving);
    // Not awaited: `return()` of a generator hangs while a `next()` is pending.
    if (!over) iterator.return?.().then(undefined, () => {});
  }
}
