import { basename } from 'node:path';
import { closest, silentLogger } from '@talaria/base';
import { createCatalog, createEvaluator, type Catalog, type FlagChange, type StoredFlags } from '@talaria/flags';
import { CliError } from '../../cli-error.ts';
import { changeOptions, givenText, withFlags, type FlagsEnvironment, type FlagsWriteOptions } from '../../flags/open-flags.ts';
import { printable, table } from '../../terminal.ts';

/** What services make of what is stored. */
function catalogOf({ flags, experiments }: StoredFlags): Catalog {
  const catalog = createCatalog(silentLogger);
  const texts = (all: StoredFlags['flags']): Map<string, string> => new Map(all.map(({ name, text }) => [name, text]));
  catalog.apply({ flags: texts(flags), experiments: texts(experiments) });
  return catalog;
}

/** The names of the flags of a document; none of one that is broken. */
function flagsIn(text: string): readonly string[] {
  try {
    return Object.keys((JSON.parse(text) as { flags: object }).flags);
  } catch {
    return [];
  }
}

/** `talaria flags list`. */
export async function flagsList(options: { readonly json?: boolean }, environment: FlagsEnvironment): Promise<void> {
  const { terminal } = environment;
  await withFlags(environment, async (store, ask) => {
    const stored = await ask(store.read());
    const { snapshot, problems } = catalogOf(stored);
    const documentOf = (flag: string): string => stored.flags.findLast(({ text }) => flagsIn(text).includes(flag))?.name ?? '';
    const rows = [...snapshot.flags.values()].map((flag) => {
      const experiment = snapshot.experiments.get(flag.key);
      return {
        flag: flag.key,
        state: flag.state === 'ENABLED' ? 'on' : 'killed',
        default: flag.defaultVariant ?? '',
        variants: [...flag.variants.keys()],
        document: documentOf(flag.key),
        experiment: experiment ? (experiment.running ? 'running' : 'stopped') : '',
      };
    });
    rows.sort((a, b) => (a.flag < b.flag ? -1 : 1));
    if (options.json) return terminal.out(`${JSON.stringify({ flags: rows, problems: Object.fromEntries(problems) }, null, 2)}\n`);
    terminal.out(rows.length === 0 ? 'There are no flags yet: "talaria flags apply" puts some.\n' : table([['FLAG', 'STATE', 'DEFAULT', 'VARIANTS', 'DOCUMENT', 'EXPERIMENT'], ...rows.map((row) => [row.flag, row.state, row.default, row.variants.join(', '), row.document, row.experiment].map(printable))], terminal.style));
    for (const [document, reason] of problems) terminal.err(`${terminal.errStyle.bad(printable(`${document}: ${reason}`))}\n`);
  });
}

/** `talaria flags get <document>`. */
export async function flagsGet(document: string, environment: FlagsEnvironment): Promise<void> {
  const { terminal } = environment;
  await withFlags(environment, async (store, ask) => {
    const { flags } = await ask(store.read());
    const found = flags.find(({ name }) => name === document);
    if (!found) throw new CliError(`There is no document ${document}: ${flags.length > 0 ? `there are ${flags.map(({ name }) => name).join(', ')}` : 'there are none yet'}.`);
    terminal.out(found.text.endsWith('\n') ? found.text : `${found.text}\n`);
    terminal.err(`${terminal.errStyle.dim(`revision ${found.revision}`)}\n`);
  });
}

/** `talaria flags apply <file>`. */
export async function flagsApply(file: string, options: FlagsWriteOptions & { readonly document?: string }, environment: FlagsEnvironment): Promise<void> {
  if (file === '-' && options.document === undefined) throw new CliError('Standard input has no name: say --document, such as: talaria flags apply - --document checkout', 2);
  const document = options.document ?? basename(file).replace(/(\.flagd)?\.json$/, '');
  const text = await givenText(file, environment);
  await change(environment, (store) => store.applyFlags(document, text, changeOptions(options)));
}

/** `talaria flags remove <document>`. */
export async function flagsRemove(document: string, options: FlagsWriteOptions, environment: FlagsEnvironment): Promise<void> {
  await change(environment, (store) => store.removeFlags(document, changeOptions(options)));
}

/** `talaria flags kill <flag>` and `talaria flags revive <flag>`. */
export async function flagsState(flag: string, state: 'ENABLED' | 'DISABLED', options: FlagsWriteOptions, environment: FlagsEnvironment): Promise<void> {
  await change(environment, (store) => store.setFlagState(flag, state, changeOptions(options)));
}

/** What `talaria flags evaluate` may be told. */
export interface EvaluateOptions {
  readonly for?: string;
  readonly context?: string;
}

/** `talaria flags evaluate <flag>`: what a service would be answered. */
export async function flagsEvaluate(flag: string, options: EvaluateOptions, environment: FlagsEnvironment): Promise<void> {
  const { terminal } = environment;
  const context = contextOf(options);
  await withFlags(environment, async (store, ask) => {
    const { snapshot, problems } = catalogOf(await ask(store.read()));
    const found = snapshot.flags.get(flag);
    if (!found) {
      const near = closest(flag, snapshot.flags.keys());
      throw new CliError(`There is no flag ${flag}: ${near === undefined ? '"talaria flags list" shows those that there are.' : `did you mean ${near}?`}`);
    }
    const type = typeof [...found.variants.values()][0] as 'boolean' | 'string' | 'number' | 'object';
    const defaults = { boolean: false, string: '', number: 0, object: {} } as const;
    const { flagMetadata: _, ...answer } = createEvaluator({ snapshot: () => snapshot }).resolve(type, flag, defaults[type], context as never);
    terminal.out(`${printable(JSON.stringify(answer, null, 2))}\n`);
    for (const [document, reason] of problems) terminal.err(`${terminal.errStyle.bad(printable(`${document}: ${reason}`))}\n`);
  });
}

function contextOf({ for: targetingKey, context = '{}' }: EvaluateOptions): Readonly<Record<string, unknown>> {
  let given: unknown;
  try {
    given = JSON.parse(context);
  } catch (error) {
    throw new CliError(`The context is not JSON (${(error as Error).message}): such as '{"email":"ada@example.com"}'`, 2);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new CliError(`The context is an object, such as '{"email":"ada@example.com"}'`, 2);
  return { ...(targetingKey === undefined ? {} : { targetingKey }), ...given };
}

/** `talaria flags history`. */
export async function flagsHistory(options: { readonly json?: boolean }, environment: FlagsEnvironment): Promise<void> {
  const { terminal } = environment;
  await withFlags(environment, async (store, ask) => {
    const all = await ask(store.history());
    if (options.json) return terminal.out(`${JSON.stringify(all, null, 2)}\n`);
    terminal.out(all.length === 0 ? 'Nobody has changed anything yet.\n' : table([['AT', 'WHO', 'DOCUMENT', 'WHAT', 'WHY'], ...all.map(({ at, who, document, what, why = '' }) => [at, who, document, what, why].map(printable))], terminal.style));
  });
}

/** Makes a change, and says so. */
export async function change(environment: FlagsEnvironment, make: (store: Parameters<Parameters<typeof withFlags>[1]>[0]) => Promise<FlagChange>): Promise<void> {
  const { terminal } = environment;
  await withFlags(environment, async (store, ask) => {
    const { document, what, who } = await ask(make(store));
    terminal.out(`${printable(`${document}: ${what}, by ${who}`)}\n`);
  });
}
