import { parseTarget, targetText, type StoredSetting } from '@talaria/config/store';
import { CliError } from '../../cli-error.ts';
import { checked } from '../../config/checked.ts';
import { withStore, type ConfigEnvironment } from '../../config/open-store.ts';
import { cell, jsonText, longWords, valueWords } from '../../config/words.ts';
import { printable, table, type Style } from '../../terminal.ts';

/** What the user may say. */
export interface GetOptions {
  readonly json?: boolean;
}

/** `talaria config get <target> [name]`: what a target itself says. */
export async function configGet(target: string, name: string | undefined, { json }: GetOptions, environment: ConfigEnvironment): Promise<void> {
  const wanted = checked(() => parseTarget(target));
  const { out, err, style, errStyle } = environment.terminal;
  const { revision, settings } = await withStore(environment, {}, ({ store, ask }) => ask(store.get(wanted, name)));
  if (json) return out(jsonText({ target: wanted, revision, settings }, 2));
  if (name !== undefined) {
    const [found] = settings;
    const says = found?.temporary ?? found?.permanent;
    if (!says) throw new CliError(`${targetText(wanted)} says nothing of ${name}: "talaria config explain ${targetText(wanted)} ${name}" shows where its value comes from.`);
    out(`${valueWords(says.value, '(no JSON)')}\n`);
  } else out(settings.length === 0 ? `Nothing is set for ${targetText(wanted)}: "talaria config explain ${targetText(wanted)}" shows what there is to set.\n` : tableOf(settings, style));
  err(errStyle.dim(`revision ${revision}\n`));
}

function tableOf(settings: readonly StoredSetting[], style: Style): string {
  const rows = settings.flatMap(({ name, permanent, temporary }) => [
    ...(permanent ? [[printable(name), cell(permanent.value, '(no JSON)'), String(permanent.revision), '']] : []),
    ...(temporary ? [[printable(name), cell(temporary.value, '(no JSON)'), String(temporary.revision), `temporary, for another ${longWords(temporary.secondsLeft ?? 0)}`]] : []),
  ]);
  return table([['NAME', 'VALUE', 'REVISION', ''], ...rows], style);
}
