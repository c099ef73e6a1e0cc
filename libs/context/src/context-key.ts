import { context as otel } from '@opentelemetry/api';

/** A typed value of the running code's context, after Go's `context.Value` and TC39's `AsyncContext.Variable`. */
export interface ContextKey<T> {
  /** What was given to {@link contextKey}; for people. */
  readonly name: string;
  /** The value of the nearest `run` around the running code, however many `await`s lie between; undefined outside of any. */
  get(): T | undefined;
  /** Runs `fn` with this value, also what it starts, and answers what it answers. Undefined hides the value of an outer `run`. */
  run<R>(value: T | undefined, fn: () => R): R;
}

/**
 * A key for values that stay in this process: they flow along with the code that a call runs, and never over a hop. Make it
 * once, at the top of a module: each key is another one, whatever its name.
 */
export function contextKey<T>(name: string): ContextKey<T> {
  // Not OpenTelemetry's createContextKey, which makes one key of all that have the same name.
  const key = Symbol(name);
  return {
    name,
    get: () => otel.active().getValue(key) as T | undefined,
    run: (value, fn) => otel.with(otel.active().setValue(key, value), fn),
  };
}
