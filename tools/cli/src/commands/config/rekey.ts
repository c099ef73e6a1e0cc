import { targetText } from '@talaria/config/store';
import { CliError } from '../../cli-error.ts';
import { withStore, type ConfigEnvironment } from '../../config/open-store.ts';
import { jsonText } from '../../config/words.ts';
import { printable } from '../../terminal.ts';
import type { WriteOptions } from './set.ts';

/** `talaria config rekey`: encrypts all secrets with the first key. */
export async function configRekey({ why, json }: WriteOptions, environment: ConfigEnvironment): Promise<void> {
  const { out, style } = environment.terminal;
  const result = await withStore(environment, { writes: true, why }, async ({ store, ask, reach }) => {
    await reach();
    return ask(store.rekey({ why }));
  });
  const { key, changes, records, problems } = result;
  if (json) out(jsonText(result, 2));
  else {
    for (const { target, settings } of changes) out(`${style.strong(printable(targetText(target)))}  ${settings.map(({ name }) => printable(name)).join(', ')}\n`);
    const count = changes.reduce((sum, { settings }) => sum + settings.length, 0);
    out(`${count} secret${count === 1 ? '' : 's'} and ${records} record${records === 1 ? '' : 's'} of the history encrypted anew; the key is "${printable(key)}".\n`);
  }
  if (problems.length > 0) throw new CliError(`Not everything could be: ${problems.join(' ')}`);
}
