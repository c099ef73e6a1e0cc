import { once } from 'node:events';
import { silentLogger } from '@talaria/base';
import { parseTarget, targetText, type Observation } from '@talaria/config/store';
import { checked } from '../../config/checked.ts';
import { withStore, type ConfigEnvironment } from '../../config/open-store.ts';
import { changeText, jsonText, valueWords } from '../../config/words.ts';
import { printable, type Style } from '../../terminal.ts';

/** What the user may say. */
export interface WatchCommandOptions {
  readonly json?: boolean;
}

/** `talaria config watch [target] [name]`: prints changes as they happen, until `signal` aborts or nobody reads any more. */
export async function configWatch(target: string | undefined, name: string | undefined, { json }: WatchCommandOptions, environment: ConfigEnvironment): Promise<void> {
  const { terminal, signal } = environment;
  const wanted = target === undefined ? undefined : checked(() => parseTarget(target));
  const ended = AbortSignal.any([signal, ...(terminal.gone ? [terminal.gone] : [])]);
  await withStore(environment, {}, async ({ store, ask, reach }) => {
    await reach();
    const onObservation = (what: Observation): void => terminal.out(json ? jsonText(what) : observationText(what, terminal.style));
    const watch = store.watch({ log: silentLogger, target: wanted, name, onObservation });
    try {
      await ask(watch.ready);
      terminal.err('Watching for changes. Ctrl-C stops.\n');
      if (!ended.aborted) await once(ended, 'abort');
    } finally {
      watch.close();
    }
  });
}

function observationText(what: Observation, style: Style): string {
  if (what.kind === 'change') return `${changeText(what.change, style)}\n`;
  if (what.kind === 'data_lost') return `${style.bad('etcd was emptied, or restored from a backup')}: "talaria config validate" and "talaria config history" show what there is.\n\n`;
  const place = printable(`${what.name} of ${targetText(what.target)}`);
  if (what.kind === 'ended') return `${style.strong(place)}  the temporary ${valueWords(what.value, 'value')} has ended\n\n`;
  return `${style.strong(place)}  ${valueWords(what.before, '(unset)')} → ${valueWords(what.after, '(unset)')}  ${style.bad('written past the history')}: nobody knows by whom, and why\n\n`;
}
