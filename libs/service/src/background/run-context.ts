import { context as otel, ROOT_CONTEXT, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { newId, type Clock, type Leadership } from '@talaria/base';
import { runFenced, withCall } from '@talaria/context';

/** What runs in the background. It must heed the signal, which aborts when the service stops. */
export type Work = (signal: AbortSignal) => void | Promise<void>;

/** What the instance that leads runs, with the proof that it does. It must heed the signal, which aborts when the service stops or the leadership is lost. */
export type LeaderWork = (signal: AbortSignal, leadership: Leadership) => void | Promise<void>;

/** What is run again and again: as `LeaderWork`, but without a leadership where each instance runs it. */
export type ScheduledWork = (signal: AbortSignal, leadership: Leadership | undefined) => void | Promise<void>;

/** What the run of some work goes on in. */
export interface RunOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** What it is run under: its writes are refused once another leader has written, and it ends with it. */
  readonly leadership?: Leadership | undefined;
  /** Makes the span of the run; without it the run has none, and each of its calls begins a trace. */
  readonly span?: { readonly tracer: Tracer; readonly name: string } | undefined;
  /** How long the run may take, in ms: then its signal aborts. Default: for ever. */
  readonly limitMs?: number | undefined;
}

/** Runs some work once, in a call context of its own: outside of every call, with a request id, and for what is scheduled with a span and a deadline. */
export async function runWork(work: Work, { signal, clock, leadership, span: wanted, limitMs }: RunOptions): Promise<void> {
  const over = new AbortController();
  const stop = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const cancelTimer = limitMs === undefined ? undefined : clock.after(limitMs, () => over.abort(new DOMException(`The run took longer than ${limitMs} ms`, 'TimeoutError')));
  const span = wanted?.tracer.startSpan(wanted.name, { root: true }, ROOT_CONTEXT);
  const call = { signal: over.signal, requestId: newId('req'), clock, ...(limitMs === undefined ? {} : { deadline: clock.monotonic() + limitMs }) };
  const context = withCall(span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT, call);
  try {
    const run = async (): Promise<void> => work(over.signal);
    await otel.with(context, () => (leadership ? runFenced(leadership, run) : run()));
  } catch (error) {
    span?.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
    if (error instanceof Error) span?.recordException(error);
    throw error;
  } finally {
    span?.end();
    cancelTimer?.();
    signal.removeEventListener('abort', stop);
    // Whatever the run has started and left behind ends with it.
    over.abort(new DOMException('The run is over', 'AbortError'));
  }
}
