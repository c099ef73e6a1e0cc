import { parseTarget, targetText, type Problem, type Validation } from '@talaria/config/store';
import { CliError } from '../../cli-error.ts';
import { checked } from '../../config/checked.ts';
import { givenDocument } from '../../config/given-values.ts';
import { withStore } from '../../config/open-store.ts';
import { jsonText } from '../../config/words.ts';
import { printable, type Style } from '../../terminal.ts';
import type { ConfigWriteEnvironment } from './set.ts';

/** What the user may say. */
export interface ValidateOptions {
  /** A document; `-` for standard input. */
  readonly file?: string;
  readonly json?: boolean;
}

/** `talaria config validate [target]`: checks what is stored, or a document; fails with all that is wrong. */
export async function configValidate(target: string | undefined, { file, json }: ValidateOptions, environment: ConfigWriteEnvironment): Promise<void> {
  const wanted = target === undefined ? undefined : checked(() => parseTarget(target));
  if (file !== undefined && !wanted) throw new CliError(`Say for which target the document is meant: talaria config validate <target> --file ${file}`, 2);
  const document = file === undefined ? undefined : { content: await givenDocument(file, environment) };
  const validation = await withStore(environment, {}, ({ store, ask }) => ask(document && wanted ? store.validateDocument(wanted, document.content) : store.validate(wanted)));
  const { out, style } = environment.terminal;
  out(json ? jsonText(validation, 2) : text(validation, style));
  const wrong = validation.problems.filter(({ harmless }) => !harmless).length;
  if (wrong > 0) throw new CliError(`${wrong} of ${validation.checked} value${validation.checked === 1 ? '' : 's'} ${wrong === 1 ? 'is' : 'are'} wrong.`);
}

function text({ checked: count, problems }: Validation, style: Style): string {
  if (count === 0) return 'There is nothing to check.\n';
  const line = ({ target, name, message, harmless }: Problem): string => `${harmless ? style.dim('left over') : style.bad('wrong')}  ${style.strong(printable(target ? `${targetText(target)} ${name}` : name))}: ${printable(message)}\n`;
  const good = problems.some(({ harmless }) => !harmless) ? '' : `${style.good('All is well')}: ${count} value${count === 1 ? '' : 's'} checked.\n`;
  return problems.map(line).join('') + good;
}
