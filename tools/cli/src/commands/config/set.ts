import { parseDuration } from '@talaria/config';
import { parseTarget, targetText, type Application, type Change, type GivenValue, type SetResult, type Target } from '@talaria/config/store';
import { CliError } from '../../cli-error.ts';
import { checked } from '../../config/checked.ts';
import { givenDocument, givenPairs } from '../../config/given-values.ts';
import { withStore, type ConfigEnvironment, type OpenStore } from '../../config/open-store.ts';
import { changeText, jsonText } from '../../config/words.ts';
import type { Input } from '../../input.ts';
import { printable, type Terminal } from '../../terminal.ts';

/** What the user may say of every change. */
export interface WriteOptions {
  readonly why?: string;
  readonly ifRevision?: string;
  readonly json?: boolean;
}

/** What the user may say of `set`. */
export interface ConfigSetOptions extends WriteOptions {
  /** Such as `10m`. */
  readonly for?: string;
  /** A document of settings; `-` for standard input. */
  readonly file?: string;
}

/** What `set` and `unset` need besides. */
export interface ConfigWriteEnvironment extends ConfigEnvironment {
  readonly input: Input;
}

/** How long a change may take to be applied until we stop watching. It takes some ms where all is well. */
const APPLY_LIMIT_MS = 3000;

/** `talaria config set <target> <name> <value> …`. */
export async function configSet(target: string, pairs: readonly string[], options: ConfigSetOptions, environment: ConfigWriteEnvironment): Promise<void> {
  const wanted = checked(() => parseTarget(target));
  const forMs = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && forMs === undefined) throw new CliError(`--for ${options.for} is no time: write one such as 30s, 10m, 1h30m or 1d.`, 2);
  if (options.file === undefined && pairs.length === 0) throw new CliError('There is nothing to set: give names and values, or a document with --file.', 2);
  if (options.file !== undefined && pairs.length > 0) throw new CliError('Give names and values, or a document with --file, but not both.', 2);
  const document = options.file === undefined ? undefined : { content: await givenDocument(options.file, environment) };
  const values = await givenPairs(pairs, environment);
  const { change: made, applications } = await change(wanted, async ({ store, ask }) => (document ? ask(store.settingsOf(wanted, document.content)) : values), options, forMs, environment);
  const onCommandLine = made?.settings.filter(({ name, secret }) => secret && pairs.some((each, at) => each === name && pairs[at + 1] !== '-')) ?? [];
  const [first] = onCommandLine;
  if (first) environment.terminal.err(`${environment.terminal.errStyle.bad('Mind')} that shells remember commands, and other users see them: send secrets from standard input, as in "talaria config set ${targetText(wanted)} ${first.name} - < file".\n`);
  failWhereRefused(made, applications);
}

/** `talaria config unset <target> <name> …`. */
export async function configUnset(target: string, names: readonly string[], options: WriteOptions, environment: ConfigEnvironment): Promise<void> {
  const values = Object.fromEntries(names.map((name) => [name, undefined]));
  const { change: made, applications } = await change(checked(() => parseTarget(target)), () => Promise.resolve(values), options, undefined, environment);
  failWhereRefused(made, applications);
}

/** The revision that `--if-revision` names. */
export function revisionOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,18}$/.test(text)) throw new CliError(`--if-revision ${text} is no revision: take the number that "talaria config get" or "explain" shows.`, 2);
  return BigInt(text);
}

/** Makes a change, prints it, and tells which instances have applied it. */
async function change(target: Target, values: (open: OpenStore) => Promise<Readonly<Record<string, GivenValue | undefined>>>, options: WriteOptions, forMs: number | undefined, environment: ConfigEnvironment): Promise<Pick<SetResult, 'change'> & { readonly applications: readonly Application[] }> {
  const { terminal } = environment;
  const ifRevision = revisionOf(options.ifRevision);
  return withStore(environment, { writes: true, why: options.why }, async (open) => {
    const given = await values(open);
    await open.reach();
    const applying = open.store.applying(target);
    try {
      const result = await open.ask(applying.ready.then(() => open.store.set(target, given, { why: options.why, forMs, ifRevision })));
      const applications = result.change ? await open.ask(applying.applied(result.change.revision, Object.keys(given), APPLY_LIMIT_MS)) : [];
      if (options.json) terminal.out(jsonText({ ...result, instances: applications }, 2));
      else if (result.change) {
        terminal.out(changeText(result.change, terminal.style));
        terminal.err(applicationText(result.change, result.atNextStart, applications, terminal));
      } else terminal.err(`${targetText(target)} says that already: nothing was changed.\n`);
      return { change: result.change, applications };
    } finally {
      applying.close();
    }
  });
}

/** Throws if an instance refuses a change: a published schema cannot say all that a service checks. */
export function failWhereRefused(change: Change | undefined, all: readonly Application[]): void {
  const refusing = all.filter(({ afterMs, problem }) => afterMs !== undefined && problem !== undefined).length;
  if (!change || refusing === 0) return;
  throw new CliError(`${refusing} instance${refusing === 1 ? ' refuses' : 's refuse'} this change, which stays written: take it back with "talaria config rollback ${change.id}", or write it right.`);
}

/** Who has applied a change, and how fast; and why others have not. */
export function applicationText({ target, revision }: Change, atNextStart: readonly string[], all: readonly Application[], { errStyle }: Pick<Terminal, 'errStyle'>): string {
  const applied = all.filter(({ afterMs, problem }) => afterMs !== undefined && problem === undefined);
  const slowest = Math.max(0, ...applied.map(({ afterMs = 0 }) => afterMs));
  const lines =
    all.length === 0
      ? [`No instance runs that reads ${targetText(target)}: it holds for those that start.`]
      : [`${applied.length === all.length ? errStyle.good('Applied') : 'Applied'} by ${applied.length} of ${all.length} instance${all.length === 1 ? '' : 's'}${applied.length === 0 ? '' : ` within ${Math.ceil(slowest)} ms`}, at revision ${revision}.`];
  for (const { instance, service, version, afterMs, problem, overridden } of all) {
    const who = `${instance} (${service}@${version})`;
    if (problem !== undefined) lines.push(errStyle.bad(printable(`${who} keeps its last good value: ${problem}`)));
    else if (afterMs === undefined) lines.push(errStyle.bad(printable(`${who} has not said so yet: "talaria config explain" shows when it has.`)));
    for (const [name, source] of Object.entries(overridden)) lines.push(errStyle.dim(printable(`${who} goes by what is set for its ${source} in ${name}.`)));
  }
  for (const name of atNextStart) lines.push(errStyle.dim(`${name} takes effect at the next start of each instance.`));
  return lines.map((line) => `${line}\n`).join('');
}
