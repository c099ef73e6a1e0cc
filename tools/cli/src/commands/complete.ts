import type { Command, Option } from 'commander';
import { SHELLS } from '../completion/shells.ts';
import type { Terminal } from '../terminal.ts';

/** What may stand at a place, with a few words about it. */
interface Candidate {
  readonly value: string;
  readonly about?: string;
}

type Env = Readonly<Record<string, string | undefined>>;
/** What may stand at a place, or more than that: the beginning is compared later. `given` are the arguments before it. */
type Values = (word: string, env: Env, signal: AbortSignal, given: readonly string[]) => readonly Candidate[] | Promise<readonly Candidate[]>;

/** Those of auth-service under `nx serve`; which other clients there are nobody may ask. */
const DEV_CLIENTS: readonly Candidate[] = [
  { value: 'dev', about: 'a client for development' },
  { value: 'dev2', about: 'another one, to see whether they are kept apart' },
];

const first =
  (values: Values): Values =>
  (word, env, signal, given) =>
    given.length === 0 ? values(word, env, signal, given) : [];
const methods = first(async (word, env, signal) => (await import('../completion/published.ts')).publishedMethods(word, env, signal));
const configured =
  (kind: 'target name' | 'target names' | 'target pairs' | 'targets' | 'change'): Values =>
  async (_word, env, signal, given) =>
    (await import('../completion/configured.ts')).configured(kind, given, env, signal);
const releases: Values = async (_word, env, signal, given) => (await import('../completion/releases.ts')).releases(given, env, signal);
const CHANGES: Values = (word, env, signal) => configured('change')(word, env, signal, []);

const RUNNING: Values = async (_word, env, signal) => (await import('../completion/running.ts')).runningServices(env, signal);

/** What the arguments of a command may be. */
const ARGUMENTS: Readonly<Record<string, Values>> = {
  call: methods,
  load: methods,
  describe: methods,
  topology: first(async (_word, env, signal) => (await import('../completion/running.ts')).publishedContracts(env, signal)),
  health: first(RUNNING),
  canary: releases,
  completion: first(() => SHELLS.map((value) => ({ value }))),
  'config get': configured('target name'),
  'config set': configured('target pairs'),
  'config unset': configured('target names'),
  'config explain': configured('target name'),
  'config history': configured('target name'),
  'config watch': configured('target name'),
  'config validate': configured('targets'),
  'config diff': configured('targets'),
  'config rollback': configured('change'),
};
/** What an option may be set to. */
const OPTIONS: Readonly<Record<string, Values>> = {
  '--as': async (_word, env) => ((await import('../completion/published.ts')).servedHere(env) ? DEV_CLIENTS : []),
  '--since': CHANGES,
  '--from': RUNNING,
  '--arrivals': () => [
    { value: 'fixed', about: 'at equal distances' },
    { value: 'poisson', about: 'independently of each other' },
  ],
};

/** `talaria complete -- <words>`: prints what may stand at the last of the words, one a line: the value, a tab, what it is. Never fails. */
export async function complete(words: readonly string[], program: Command, terminal: Terminal, env: Env, signal: AbortSignal): Promise<void> {
  const found = await candidates(words, program, env, signal).catch(() => []);
  terminal.out(found.map(({ value, about }) => `${value}\t${about ?? ''}\n`).join(''));
}

/** The command that words name, with all that it is below; undefined where they name none. */
function commandOf(words: readonly string[], program: Command): { readonly path: readonly string[]; readonly command: Command; readonly rest: readonly string[] } | undefined {
  let command = program;
  const path: string[] = [];
  let rest = words;
  while (command.commands.length > 0) {
    const at = rest.findIndex((some) => !some.startsWith('-'));
    if (at < 0) return { path, command, rest };
    const next = command.commands.find((each) => each.name() === rest[at]);
    if (!next) return undefined;
    [command, rest] = [next, rest.slice(at + 1)];
    path.push(next.name());
  }
  return { path, command, rest };
}

async function candidates(words: readonly string[], program: Command, env: Env, signal: AbortSignal): Promise<readonly Candidate[]> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const beginning = (all: readonly Candidate[]): readonly Candidate[] => all.filter(({ value }) => value.startsWith(word));
  const named = commandOf(before, program);
  if (!named) return [];
  const { path, command, rest } = named;
  const options = command.createHelp().visibleOptions(command);
  const option = (name: string): Option | undefined => options.find(({ short, long }) => short === name || long === name);

  // --as=de
  const [, name = '', value = ''] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  if (name !== '') return beginning(((await OPTIONS[name]?.(value, env, signal, [])) ?? []).map((each) => ({ ...each, value: `${name}=${each.value}` })));
  // --as de
  const last = before.at(-1) ?? '';
  if (last.startsWith('-') && option(last)?.required) return beginning((await OPTIONS[last]?.(word, env, signal, [])) ?? []);
  if (word.startsWith('-')) return beginning(options.flatMap(({ long, short, description }) => ({ value: long ?? short ?? '', about: description })));
  if (command.commands.length > 0) return beginning(command.createHelp().visibleCommands(command).map((each) => ({ value: each.name(), about: each.description() })));

  const given = rest.filter((some, index, all) => !/^-./.test(some) && !option(all[index - 1] ?? '')?.required);
  return beginning((await ARGUMENTS[path.join(' ')]?.(word, env, signal, given)) ?? []);
}
