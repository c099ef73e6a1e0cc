/** What a source has to tell; each thing once. */
export type SourceEvent<T> = { readonly kind: 'message'; readonly message: T } | { readonly kind: 'end' } | { readonly kind: 'error'; readonly error: unknown };

/** One call of a stream that is resumed: asked for one message at a time, and never waited for longer than wanted. */
export interface Source<T, P> {
  /** What has come, until it is taken. */
  event: SourceEvent<T> | undefined;
  /** Its server is going away. */
  leaving: boolean;
  /** Positions of messages that it will bring although they came from the source before it. */
  readonly doubled: Set<P>;
  /** When it was opened, in ms of the clock of the call. */
  readonly openedAt: number;
  /** Asks for the next message unless it has been asked, or has an event. */
  pull(): void;
  /** Ends the call. What still comes is lost. */
  drop(): void;
}

/** Options that belong into those of the call that a stream is opened with. */
export interface ResumeCall {
  /** Aborts when this call is not needed any more. */
  readonly signal: AbortSignal;
  /** Hears that the server of this call is going away. Without it, the stream is begun anew only when it was cut. */
  readonly onLeaving: () => void;
}

/** Makes a source of what `open` opens; `wake` is called whenever it has something to tell. */
export function openSource<T, P>(open: (call: ResumeCall) => AsyncIterable<T>, openedAt: number, wake: () => void): Source<T, P> {
  const dropped = new AbortController();
  let asked = false;
  let iterator: AsyncIterator<T> | undefined;
  const source: Source<T, P> = {
    event: undefined,
    leaving: false,
    doubled: new Set(),
    openedAt,
    pull() {
      if (asked || source.event || dropped.signal.aborted) return;
      asked = true;
      const got = (event: SourceEvent<T>): void => {
        asked = false;
        if (dropped.signal.aborted) return;
        source.event = event;
        wake();
      };
      const failed = (error: unknown): void => got({ kind: 'error', error });
      try {
        iterator ??= open({ signal: dropped.signal, onLeaving })[Symbol.asyncIterator]();
        iterator.next().then((step) => got(step.done ? { kind: 'end' } : { kind: 'message', message: step.value }), failed);
      } catch (error) {
        failed(error);
      }
    },
    drop() {
      if (dropped.signal.aborted) return;
      dropped.abort(new DOMException('The stream is not needed any more', 'AbortError'));
      source.event = undefined;
      // Not awaited: `return()` of a generator hangs while a `next()` is pending.
      iterator?.return?.().then(undefined, () => {});
    },
  };
  const onLeaving = (): void => {
    if (source.leaving || dropped.signal.aborted) return;
    source.leaving = true;
    wake();
  };
  return source;
}
