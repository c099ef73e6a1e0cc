import type { Leadership } from '@talaria/base';
import { currentCall, runInCall } from './call.ts';
import { fences } from './fence-key.ts';

const NONE: readonly Leadership[] = Object.freeze([]);

/** The leaderships that the running code writes under: whatever guards writes checks each. Empty outside of `runFenced`. */
export function currentFences(): readonly Leadership[] {
  return fences.get() ?? NONE;
}

/**
 * Runs `fn` as a leader: what it writes with `@talaria/storage`, and all that it starts, is refused (`conflict.fenced`) once another
 * leader has written, and its calls end when the leadership is lost. Within another `runFenced` both count.
 */
export function runFenced<T>(leadership: Leadership, fn: () => T): T {
  const { signal } = currentCall();
  const within = signal ? AbortSignal.any([signal, leadership.lost]) : leadership.lost;
  return fences.run([...currentFences().filter((each) => each !== leadership), leadership], () => runInCall({ signal: within }, fn));
}
