import type { Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { Instance } from './instance.ts';
import type { SweepEvents } from './sweep.ts';

/** So many lines at once, */
const BURST = 10;
/** and one more each so many ms: an instance that goes and comes all the time is told of, and the log can still be read. */
const LINE_EVERY_MS = 5_000;

/** Tells of those that go and return: one line each, with the reason and figures. */
export function ejectionLog(log: Logger, contract: string | undefined, now: () => number): SweepEvents {
  let lines = BURST;
  let at = now();
  let left = 0;
  const write = (message: string, { candidate: { endpoint } }: Instance, fields: Readonly<Record<string, unknown>>): void => {
    const time = now();
    lines = Math.min(BURST, lines + (time - at) / LINE_EVERY_MS);
    at = time;
    if (lines < 1) {
      left++;
      return;
    }
    lines--;
    const about = { ...(contract === undefined ? {} : { contract }), endpoint: endpoint.id, ...(endpoint.instance === undefined ? {} : { instance: endpoint.instance }) };
    // Whose call noticed says nothing.
    detached(() => log.info(message, { ...about, ...fields, ...(left > 0 ? { linesLeftOut: left } : {}) }));
    left = 0;
  };
  return {
    onEject: (instance, { reason, figures }, forMs) => write('Instance ejected', instance, { reason, forMs, ...figures }),
    onReturn: (instance) => write('Instance returned', instance, { ejections: instance.ejections }),
  };
}
