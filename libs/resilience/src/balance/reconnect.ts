import type { ConnectionState } from '@talaria/rpc';
import { clearSilence, type Instance } from './instance.ts';
import type { Limits } from './options.ts';
import { eject } from './probation.ts';
import type { SweepEvents } from './sweep.ts';

/** A connection that is lost this often */
const LOSSES = 3;
/** within so many ms is no good, though it comes back each time. */
const WITHIN_MS = 30_000;

/**
 * Follows the connection of an instance. Losing it is not judged: whatever is not ready gets no calls. What comes back may have just
 * been started, so its share grows from small, as that of a new one; and one that was silent has to show first that it answers.
 */
export function connectionChanged(instance: Instance, state: ConnectionState, now: number, limits: Limits, { onEject }: SweepEvents): void {
  if (state === 'draining' || state === 'closed') return;
  if (state !== 'ready') {
    // A connection that nobody used may be closed; nothing is lost by that.
    const inUse = instance.unary.length + instance.streams.length > 0;
    if (!instance.lost && (state === 'failed' || (instance.connected && inUse))) {
      instance.lost = true;
      if (instance.connected) countLoss(instance, now);
    }
    instance.connected = false;
    return;
  }
  instance.connected = true;
  clearSilence(instance);
  if (!instance.lost) return;
  instance.lost = false;
  instance.rampFrom = now;
  // What was said of it may have been said of a process that is no more.
  if (instance.phase === 'ejected') instance.outUntil = now;
  if (limits.enabled && instance.losses >= LOSSES && instance.phase !== 'ejected') {
    const { losses } = instance;
    instance.losses = 0;
    onEject(instance, { reason: 'connection', severity: 2, figures: { losses } }, eject(instance, 'connection', now, limits));
  }
}

function countLoss(instance: Instance, now: number): void {
  if (now - instance.firstLossAt > WITHIN_MS) {
    instance.losses = 0;
    instance.firstLossAt = now;
  }
  instance.losses++;
}
