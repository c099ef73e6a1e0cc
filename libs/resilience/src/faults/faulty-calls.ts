import { systemClock } from '@talaria/base';
import { TransportError, type Connection, type Metadata, type WireCallOptions, type WireMethod } from '@talaria/rpc';
import type { ActiveRule } from './active-rule.ts';
import { corrupted, delayOf } from './corrupt.ts';
import type { Holds } from './holds.ts';

/** A call that is made, and the rule that hits it. */
export interface HitCall {
  readonly connection: Connection;
  readonly method: WireMethod;
  readonly rule: ActiveRule;
  readonly holds: Holds;
  readonly random: () => number;
}

/** What the call fails with, its trailer shown as a peer's would be. */
function failed({ method, rule: { failure } }: HitCall, { onTrailer }: WireCallOptions): TransportError {
  onTrailer?.(failure.trailer);
  return new TransportError(method.path, failure.code, failure.details, 'maybe_executed', failure.trailer);
}

/** What happens before anything is sent. */
async function before(call: HitCall, options: WireCallOptions): Promise<void> {
  const { method, rule, holds, random } = call;
  const { delay, jitter, blackhole, error } = rule.fault;
  const { signal, deadline = Infinity, clock = systemClock } = options;
  // Over before it began: the connection itself says so, and that it was never sent.
  if (signal?.aborted || clock.monotonic() >= deadline) return;
  if (delay !== undefined) await holds.wait(delayOf(delay, jitter, random), method.path, options);
  if (blackhole) await holds.wait(Infinity, method.path, options);
  if (error) throw failed(call, options);
}

/** What happens to a response. */
async function arriving({ method, rule: { fault, inForce }, holds, random }: HitCall, response: Uint8Array, options: WireCallOptions): Promise<Uint8Array> {
  if (!inForce) return response;
  if (fault.trickle) await holds.wait((response.length * 1000) / fault.trickle.bytesPerSecond, method.path, options);
  return fault.corrupt ? corrupted(response, fault.corrupt, random) : response;
}

/** Call options with which a trailer is kept back: that of a call that is cut is never seen. */
function keptTrailer(options: WireCallOptions): { readonly options: WireCallOptions; show(): void } {
  let kept: Metadata | undefined;
  return {
    options: { ...options, onTrailer: (trailer) => (kept = trailer) },
    show: () => void (kept && options.onTrailer?.(kept)),
  };
}

/** With a signal for the handle, which is of the call as a whole. */
function ownSignal({ handle, ...options }: WireCallOptions): WireCallOptions {
  if (!handle) return options;
  const controller = new AbortController();
  handle.cancel = () => controller.abort();
  return { ...options, signal: options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal };
}

/** A call with one request and one response that goes wrong. */
export async function faultyUnary(call: HitCall, request: Uint8Array, given: WireCallOptions): Promise<Uint8Array> {
  const options = ownSignal(given);
  const { connection, method, rule } = call;
  await before(call, options);
  if (!rule.fault.abort) return arriving(call, await connection.unary(method, request, options), options);
  const trailer = keptTrailer(options);
  try {
    await connection.unary(method, request, trailer.options);
  } catch (error) {
    trailer.show();
    throw error;
  }
  throw failed(call, options);
}

/** A call with a stream that goes wrong. It begins with the first pull, as all do. */
export function faultyStream(call: HitCall, requests: AsyncIterable<Uint8Array>, options: WireCallOptions): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const { connection, method, rule } = call;
      const afterMessages = method.responseStream ? rule.fault.abort?.afterMessages : rule.fault.abort && 0;
      const gone = new AbortController();
      // Aborts also when nobody reads any more, whatever the fault is at then.
      const own: WireCallOptions = { ...options, signal: options.signal ? AbortSignal.any([options.signal, gone.signal]) : gone.signal };
      const trailer = afterMessages === undefined ? undefined : keptTrailer(own);
      let inner: AsyncIterator<Uint8Array> | undefined;
      let over = false;
      let count = 0;

      const end = (): IteratorResult<Uint8Array> => {
        over = true;
        return { done: true, value: undefined };
      };
      const cut = (): TransportError => {
        gone.abort();
        void inner?.return?.()?.catch(() => {});
        return failed(call, options);
      };
      const step = async (): Promise<IteratorResult<Uint8Array>> => {
        if (!inner) {
          await before(call, own);
          inner = connection.stream(method, requests, trailer?.options ?? own)[Symbol.asyncIterator]();
        }
        if (afterMessages !== undefined && afterMessages > 0 && count === afterMessages) throw cut();
        const next = await inner.next().catch((error: unknown) => {
          trailer?.show();
          throw error;
        });
        if (afterMessages === 0) throw cut();
        if (next.done) {
          trailer?.show();
          return end();
        }
        count += 1;
        return { done: false, value: await arriving(call, next.value, own) };
      };
      return {
        async next() {
          if (over) return { done: true, value: undefined };
          try {
            return await step();
          } catch (error) {
            over = true;
            throw error;
          }
        },
        return() {
          gone.abort();
          void inner?.return?.()?.catch(() => {});
          return Promise.resolve(end());
        },
      };
    },
  };
}
