import { AsyncLocalStorage } from 'node:async_hooks';
import { context as otel, ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';

const storage = new AsyncLocalStorage<Context>();

/** OpenTelemetry's context manager on the one `AsyncLocalStorage` of the process. */
const manager: ContextManager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (context, fn, thisArg, ...args) => storage.run(context, () => fn.call(thisArg, ...args)),
  bind(context, target) {
    if (typeof target !== 'function') return target;
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return storage.run(context, () => (target as (...all: unknown[]) => unknown).apply(this, args));
    };
    return bound as typeof target;
  },
  enable: () => manager,
  disable: () => manager,
};

/** Makes this the context manager of OpenTelemetry's API. Done when the package is imported; harmless again. */
export function installContext(): void {
  otel.setGlobalContextManager(manager);
}

installContext();

/**
 * Runs `fn` outside of every call. For work that outlives the call that happens to start it (pools, connects, watches, key
 * fetches, single flights), which would otherwise inherit that call's deadline and trace.
 */
export function detached<T>(fn: () => T): T {
  return storage.run(ROOT_CONTEXT, fn);
}

/**
 * An iterable like `source` whose every step runs in `context`. A generator's body otherwise runs in the context of
 * whoever pulls it.
 */
export async function* iterateIn<T>(context: Context, source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const iterator = storage.run(context, () => source[Symbol.asyncIterator]());
  let finished = false;
  try {
    for (;;) {
      const step = await storage.run(context, () => iterator.next());
      if (step.done) {
        finished = true;
        return;
      }
      yield step.value;
    }
  } finally {
    // Not awaited: `return()` of a generator hangs while a `next()` is pending.
    if (!finished) void storage.run(context, async () => iterator.return?.()).catch(() => {});
  }
}
