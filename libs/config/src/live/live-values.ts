import type { LiveSetting, Logger } from '@talaria/base';

/** Values that change together: a listener of one finds all others changed as well. */
export interface LiveValues {
  /** A value by its name. `initial` throws if there is none yet; so does `get` then, until there is. */
  add<T>(name: string, initial: () => T): LiveSetting<T>;
  /** Changes all, then tells the listeners of those that are not the same (`Object.is`) any more. */
  change(values: ReadonlyMap<string, unknown>): void;
}

interface Cell {
  read: () => unknown;
  readonly listeners: Set<(value: unknown) => void>;
}

const attempt = (read: () => unknown): { readonly value: unknown } | undefined => {
  try {
    return { value: read() };
  } catch {
    return undefined;
  }
};

/** Makes a set of values, empty. */
export function createLiveValues(log: Logger): LiveValues {
  const cells = new Map<string, Cell>();

  const tell = (name: string, listener: (value: unknown) => void, value: unknown): void => {
    try {
      listener(value);
    } catch (err) {
      log.error('a listener of a setting threw', { setting: name, err });
    }
  };

  return {
    add<T>(name: string, initial: () => T): LiveSetting<T> {
      const cell: Cell = { read: initial, listeners: new Set() };
      cells.set(name, cell);
      return {
        get: () => cell.read() as T,
        onChange(listener) {
          const told = listener as (value: unknown) => void;
          // A function of its own, so that one listener may be added twice.
          const own = (value: unknown): void => told(value);
          cell.listeners.add(own);
          return () => void cell.listeners.delete(own);
        },
      };
    },
    change(values) {
      const changed: (readonly [string, Cell, unknown])[] = [];
      for (const [name, value] of values) {
        const cell = cells.get(name);
        if (!cell) continue;
        const before = attempt(cell.read);
        cell.read = () => value;
        if (!before || !Object.is(before.value, value)) changed.push([name, cell, value]);
      }
      for (const [name, { listeners }, value] of changed) for (const listener of [...listeners]) if (listeners.has(listener)) tell(name, listener, value);
    },
  };
}
