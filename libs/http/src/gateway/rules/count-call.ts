import { type Endpoint } from '@talaria/rpc';
import { toHttpError } from '../http-error.ts';
import { type CallEnd } from './rule-counters.ts';

/** What is counted of a call. */
export interface CountedCall {
  /** Aborts when the client hangs up: then nothing is counted, since it says nothing of the service. */
  readonly signal: AbortSignal;
  /** Streams last as long as they last: their duration is not counted. */
  readonly streams: boolean;
}

/** Makes a call and counts how it ended. Throws what the call throws. */
export async function countCall(ended: (end: CallEnd) => void, { signal, streams }: CountedCall, call: (onAttempt: (endpoint: Endpoint) => void) => Promise<void>): Promise<void> {
  let version = '';
  const startedAt = performance.now();
  const count = (failed: boolean): void => {
    if (!signal.aborted) ended({ version, failed, durationMs: streams ? undefined : performance.now() - startedAt });
  };
  try {
    await call((endpoint) => (version = endpoint.version ?? ''));
  } catch (error) {
    count(toHttpError(error).status >= 500);
    throw error;
  }
  count(false);
}
