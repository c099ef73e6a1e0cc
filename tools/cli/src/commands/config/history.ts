import { parseTarget } from '@talaria/config/store';
import { CliError } from '../../cli-error.ts';
import { checked } from '../../config/checked.ts';
import { withStore, type ConfigEnvironment } from '../../config/open-store.ts';
import { changeText, jsonText } from '../../config/words.ts';

/** What the user may say. */
export interface HistoryCommandOptions {
  /** How many; default 20. */
  readonly last: string;
  readonly json?: boolean;
}

/** `talaria config history [target] [name]`: who changed what, the last one first. */
export async function configHistory(target: string | undefined, name: string | undefined, { last, json }: HistoryCommandOptions, environment: ConfigEnvironment): Promise<void> {
  const wanted = target === undefined ? undefined : checked(() => parseTarget(target));
  if (!/^[1-9]\d{0,5}$/.test(last)) throw new CliError(`--last ${last} is no number of changes: give one such as 20.`, 2);
  const { out, style } = environment.terminal;
  const changes = await withStore(environment, {}, ({ store, ask }) => ask(store.history({ target: wanted, name, last: Number(last) })));
  if (json) out(jsonText(changes, 2));
  else out(changes.length === 0 ? 'Nothing was changed yet.\n' : changes.map((each) => changeText(each, style)).join('\n'));
}
