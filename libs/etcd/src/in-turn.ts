/** Runs what concerns the same key one after the other, in the order in which it was asked for. */
export function createTurns(): <T>(key: string, operation: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, operation) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(operation);
    const settled = mine.catch(() => {}).then(() => {
      if (last.get(key) === settled) last.delete(key);
    });
    last.set(key, settled);
    return mine;
  };
}
