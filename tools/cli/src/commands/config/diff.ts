import { parseTarget } from '@talaria/config/store';
import { CliError } from '../../cli-error.ts';
import { checked } from '../../config/checked.ts';
import { withStore, type ConfigEnvironment } from '../../config/open-store.ts';
import { cell, jsonText } from '../../config/words.ts';
import { printable, table } from '../../terminal.ts';

/** What the user may say. */
export interface DiffOptions {
  /** A change of the target. */
  readonly since?: string;
  readonly json?: boolean;
}

/** `talaria config diff <target> [other]`: what two targets say differently, or one since a change. */
export async function configDiff(target: string, other: string | undefined, { since, json }: DiffOptions, environment: ConfigEnvironment): Promise<void> {
  if ((other === undefined) === (since === undefined)) throw new CliError('Compare with another target, or with an earlier state of the same: talaria config diff <target> <other>, or talaria config diff <target> --since <change>', 2);
  const wanted = checked(() => parseTarget(target));
  const [a, b] = other === undefined ? [{ target: wanted, after: since }, { target: wanted }] : [{ target: wanted }, { target: checked(() => parseTarget(other)) }];
  const differences = await withStore(environment, {}, ({ store, ask }) => ask(store.diff(a, b)));
  const { out, style } = environment.terminal;
  if (json) return out(jsonText(differences, 2));
  if (differences.length === 0) return out('Nothing differs.\n');
  const head = other === undefined ? ['NAME', `AFTER ${printable(since ?? '')}`, 'NOW'] : ['NAME', printable(target), printable(other)];
  out(table([head, ...differences.map(({ name, a: one, b: two }) => [printable(name), cell(one, '(unset)'), cell(two, '(unset)')])], style));
}
