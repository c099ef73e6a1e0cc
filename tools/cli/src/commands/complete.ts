import type { Command, Option } from 'commander';
import { SHELLS } from '../completion/shells.ts';
import type { Terminal } from '../terminal.ts';

/** What may stand at a place, with a few words about it. */
interface Candidate {
  readonly value: string;
  readonly about?: string;
}

type Env = Readonly<Record<string, string | undefined>>;
/** Candidates that begin with a word. */
type Values = (word: string, env: Env, signal: AbortSignal) => readonly Candidate[] | Promise<readonly Candidate[]>;

/** Those of auth-service under `nx serve`; which other clients there are nobody may ask. */
const DEV_CLIENTS: readonly Candidate[] = [
  { value: 'dev', about: 'a client for development' },
  { value: 'dev2', about: 'another one, to see whether they are kept apart' },
];

const methods: Values = async (word, env, signal) => (await import('../completion/published.ts')).publishedMethods(word, env, signal);

/** What the first argument of a command may be. */
const ARGUMENTS: Readonly<Record<string, Values>> = {
  call: methods,
  describe: methods,
  completion: () => SHELLS.map((value) => ({ value })),
};
/** What an option may be set to. */
const OPTIONS: Readonly<Record<string, Values>> = {
  '--as': async (_word, env) => ((await import('../completion/published.ts')).servedHere(env) ? DEV_CLIENTS : []),
};

/** `talaria complete -- <words>`: prints what may stand at the last of the words, one a line: the value, a tab, what it is. Never fails. */
export async function complete(words: readonly string[], program: Command, terminal: Terminal, env: Env, signal: AbortSignal): Promise<void> {
  const found = await candidates(words, program, env, signal).catch(() => []);
  terminal.out(found.map(({ value, about }) => `${value}\t${about ?? ''}\n`).join(''));
}

async function candidates(words: readonly string[], program: Command, env: Env, signal: AbortSignal): Promise<readonly Candidate[]> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const beginning = (all: readonly Candidate[]): readonly Candidate[] => all.filter(({ value }) => value.startsWith(word));
  const named = before.find((some) => !some.startsWith('-'));
  const command = program.commands.find((each) => each.name() === named);
  if (named !== undefined && !command) return [];
  const options = (command ?? program).createHelp().visibleOptions(command ?? program);
  const option = (name: string): Option | undefined => options.find(({ short, long }) => short === name || long === name);

  // --as=de
  const [, name = '', value = ''] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  if (name !== '') return beginning(((await OPTIONS[name]?.(value, env, signal)) ?? []).map((each) => ({ ...each, value: `${name}=${each.value}` })));
  // --as de
  const last = before.at(-1) ?? '';
  if (last.startsWith('-') && option(last)?.required) return beginning((await OPTIONS[last]?.(word, env, signal)) ?? []);
  if (word.startsWith('-')) return beginning(options.flatMap(({ long, short, description }) => ({ value: long ?? short ?? '', about: description })));
  if (!command) return beginning(program.createHelp().visibleCommands(program).map((each) => ({ value: each.name(), about: each.description() })));

  const given = before.slice(before.indexOf(command.name()) + 1).filter((some, index, all) => !some.startsWith('-') && !option(all[index - 1] ?? '')?.required);
  return given.length === 0 ? beginning((await ARGUMENTS[command.name()]?.(word, env, signal)) ?? []) : [];
}
