import { sleep } from '@talaria/base';
import type { Terminal } from '../terminal.ts';

/** The pause between two looks, in ms. */
const PAUSE_MS = 1_000;
/** To the top left, and what is below is cleared. */
const REDRAW = '\u001b[H\u001b[J';
const CLEAR = '\u001b[2J';

/** How what was looked at is shown. */
export interface Shown<T> {
  /** As one line of JSON. */
  readonly json: boolean;
  readonly text: (found: T) => string;
}

/** Shows what `look` finds: once, or again and again until the signal aborts or nobody reads it any more. Answers what was found last. */
export async function showing<T>(look: (before: T | undefined) => Promise<T>, { json, text }: Shown<T>, watch: boolean, terminal: Terminal, signal: AbortSignal): Promise<T> {
  const ended = AbortSignal.any([signal, ...(terminal.gone ? [terminal.gone] : [])]);
  const redraws = watch && !json && terminal.interactive === true;
  if (redraws) terminal.out(CLEAR);
  for (let before: T | undefined; ; ) {
    const found = await look(before);
    if (json) terminal.out(`${JSON.stringify(found, null, watch ? undefined : 2)}\n`);
    else terminal.out(`${redraws ? REDRAW : before === undefined ? '' : '\n'}${text(found)}`);
    await terminal.room?.();
    if (!watch || terminal.gone?.aborted) return found;
    before = found;
    await sleep(PAUSE_MS, { signal: ended }).catch(() => signal.throwIfAborted());
    if (terminal.gone?.aborted) return found;
  }
}
