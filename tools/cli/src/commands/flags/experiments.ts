import { DocumentError, readExperiment, sharesOf, type Allocation, type ExperimentInput } from '@talaria/flags';
import { CliError } from '../../cli-error.ts';
import { changeOptions, givenText, withFlags, type FlagsEnvironment, type FlagsWriteOptions } from '../../flags/open-flags.ts';
import { printable, table } from '../../terminal.ts';
import { change } from './flags.ts';

const percent = (share: number): string => `${Number((share * 100).toFixed(4))}%`;
const described = (allocation: Allocation): string => Object.entries(sharesOf(allocation)).map(([variant, share]) => `${variant} ${percent(share)}`).join(', ');

/** `talaria experiments list`. */
export async function experimentsList(options: { readonly json?: boolean }, environment: FlagsEnvironment): Promise<void> {
  const { terminal } = environment;
  await withFlags(environment, async (store, ask) => {
    const rows = (await ask(store.read())).experiments.map(({ name, text, revision }) => {
      try {
        const { key, group, running } = readExperiment(name, text);
        const { allocation } = JSON.parse(text) as { allocation: Allocation };
        return { experiment: name, state: running ? 'running' : 'stopped', key: key as string, group: group ?? '', shares: described(allocation), revision: String(revision) };
      } catch (error) {
        if (!(error instanceof DocumentError)) throw error;
        return { experiment: name, state: `broken: ${error.message}`, key: '', group: '', shares: '', revision: String(revision) };
      }
    });
    if (options.json) return terminal.out(`${JSON.stringify(rows, null, 2)}\n`);
    terminal.out(rows.length === 0 ? 'There are no experiments yet: "talaria experiments apply" puts one.\n' : table([['EXPERIMENT', 'STATE', 'KEY', 'GROUP', 'SHARES'], ...rows.map((row) => [row.experiment, row.state, row.key, row.group, row.shares].map(printable))], terminal.style));
  });
}

/** `talaria experiments get <name>`. */
export async function experimentsGet(name: string, environment: FlagsEnvironment): Promise<void> {
  const { terminal } = environment;
  await withFlags(environment, async (store, ask) => {
    const { experiments } = await ask(store.read());
    const found = experiments.find((experiment) => experiment.name === name);
    if (!found) throw new CliError(`There is no experiment ${name}: "talaria experiments list" shows those that there are.`);
    terminal.out(found.text.endsWith('\n') ? found.text : `${found.text}\n`);
    terminal.err(`${terminal.errStyle.dim(`revision ${found.revision}`)}\n`);
  });
}

/** `talaria experiments apply <name> <file>`. */
export async function experimentsApply(name: string, file: string, options: FlagsWriteOptions, environment: FlagsEnvironment): Promise<void> {
  const text = await givenText(file, environment);
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw new CliError(`${file} is not JSON (${(error as Error).message}).`, 2);
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new CliError(`${file} is no experiment, which is an object such as {"key":"customer","shares":{"off":0.5,"on":0.5}}.`, 2);
  await change(environment, (store) => store.applyExperiment(name, input as ExperimentInput, changeOptions(options)));
}

/** `talaria experiments share <name> <variant=share…>`. */
export async function experimentsShare(name: string, pairs: readonly string[], options: FlagsWriteOptions, environment: FlagsEnvironment): Promise<void> {
  const shares = Object.fromEntries(pairs.map(shareOf));
  await change(environment, (store) => store.changeExperiment(name, { shares }, `share ${pairs.join(' ')}`, changeOptions(options)));
}

/** `on=25%` or `on=0.25`. */
function shareOf(pair: string): readonly [variant: string, share: number] {
  const [, variant = '', number = '', sign] = /^([^=]+)=(\d+(?:\.\d+)?)(%?)$/.exec(pair) ?? [];
  const share = sign === '%' ? Number(number) / 100 : Number(number);
  if (variant === '' || share > 1) throw new CliError(`"${pair}" is no share: say the variant and its part of all, such as on=25% or on=0.25`, 2);
  return [variant, share];
}

/** `talaria experiments stop <name>` and `talaria experiments start <name>`. */
export async function experimentsState(name: string, state: 'running' | 'stopped', options: FlagsWriteOptions, environment: FlagsEnvironment): Promise<void> {
  await change(environment, (store) => store.changeExperiment(name, { state }, state === 'stopped' ? 'stop' : 'start', changeOptions(options)));
}

/** `talaria experiments remove <name>`. */
export async function experimentsRemove(name: string, options: FlagsWriteOptions, environment: FlagsEnvironment): Promise<void> {
  await change(environment, (store) => store.removeExperiment(name, changeOptions(options)));
}
