import { inFlight } from '../in-flight.ts';
import type { Listener, ListenOptions, ServedMethod } from '../transport.ts';

/** gRPC's own default. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A call as the listener keeps it. */
export interface InprocServed {
  /** Tells its client, once, that the listener is going away. */
  leaving(): void;
  /** Ends it, on both sides, since the listener stops. */
  stop(): void;
}

/** A listener, as connections of the same process see it. */
export interface InprocListener extends Listener {
  readonly draining: boolean;
  /** Aborts when it begins to drain. */
  readonly leaving: AbortSignal;
  readonly maxRequestBytes: number;
  method(path: string): ServedMethod | undefined;
  begun(call: InprocServed): void;
  ended(call: InprocServed): void;
}

/** Listens under `address`; `release` is called when it has stopped. */
export function inprocListener(address: string, options: ListenOptions, release: () => void): InprocListener {
  const methods = new Map<string, ServedMethod>();
  const contracts = new Map<string, readonly ServedMethod[]>();
  const running = inFlight<InprocServed>();
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  const leaving = new AbortController();
  let stopping = false;
  let draining: Promise<void> | undefined;

  const shut = async (limitMs: number): Promise<void> => {
    stopping = true;
    for (const call of [...running.calls]) call.leaving();
    leaving.abort(new DOMException('The server is stopping', 'AbortError'));
    await running.empty(limitMs);
    for (const call of [...running.calls]) call.stop();
    release();
    onClosed();
  };

  return {
    address,
    closed,
    maxRequestBytes: options.maxRequestBytes ?? MAX_MESSAGE_BYTES,
    leaving: leaving.signal,
    get draining() {
      return stopping;
    },
    method: (path) => methods.get(path),
    begun: (call) => running.add(call),
    ended: (call) => running.remove(call),
    add(contract, served) {
      if (contracts.has(contract)) throw new Error(`${contract} is served already: remove it first`);
      contracts.set(contract, served);
      for (const method of served) methods.set(method.path, method);
    },
    remove(contract) {
      for (const { path } of contracts.get(contract) ?? []) methods.delete(path);
      contracts.delete(contract);
    },
    drain(limitMs) {
      draining ??= shut(limitMs);
      return draining;
    },
  };
}
