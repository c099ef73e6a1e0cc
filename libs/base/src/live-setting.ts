/** A value that may change while the program runs. */
export interface LiveSetting<T> {
  /** The value now. */
  get(): T;
  /** Calls `listener` after each change; the answer stops that. */
  onChange(listener: (value: T) => void): () => void;
}

/** A live setting that its owner can set. */
export interface MutableSetting<T> extends LiveSetting<T> {
  /** Sets the value; listeners hear of it only if it differs (`Object.is`). */
  set(value: T): void;
}

/** A live setting that starts as `initial`. */
export function mutableSetting<T>(initial: T): MutableSetting<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(next);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A live setting that never changes. */
export function fixedSetting<T>(value: T): LiveSetting<T> {
  return { get: () => value, onChange: () => () => {} };
}
