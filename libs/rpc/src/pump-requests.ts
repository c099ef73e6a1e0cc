/** The request side of a call. */
export interface RequestSink {
  /** Whether the call has ended. */
  readonly over: boolean;
  /** Called once, when the call ends. */
  onOver(listener: () => void): void;
  /** Resolves when the peer has room for the next one, or when the call is over. */
  send(bytes: Uint8Array): Promise<void>;
  /** No more requests come. */
  halfClose(): void;
  /** The requests failed: ends the call with this error. */
  fail(error: unknown): void;
}

/** Sends requests as fast as the peer takes them, and lets go of them when the call ends. */
export async function pumpRequests(requests: AsyncIterable<Uint8Array>, sink: RequestSink): Promise<void> {
  const iterator = requests[Symbol.asyncIterator]();
  let finished = false;
  const letGo = (): void => {
    // Not awaited: `return()` of a generator hangs while a `next()` is pending.
    if (!finished) void Promise.resolve(iterator.return?.()).catch(() => {});
    finished = true;
  };
  sink.onOver(letGo);
  try {
    while (!sink.over) {
      const step = await iterator.next();
      if (sink.over) break;
      if (step.done) {
        finished = true;
        sink.halfClose();
        return;
      }
      await sink.send(step.value);
    }
  } catch (error) {
    finished = true;
    sink.fail(error);
  }
}
