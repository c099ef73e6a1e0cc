import { readFileSync } from 'node:fs';
import { parseDocument, typedValue, type GivenValue } from '@talaria/config/store';
import { CliError } from '../cli-error.ts';
import type { Input } from '../input.ts';
import type { Terminal } from '../terminal.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { checked } from './checked.ts';

/** Where values may come from. */
export interface ValueSources {
  readonly input: Input;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** All of standard input, without the line break at its end. */
async function readInput({ input, terminal, signal }: ValueSources, what: string): Promise<string> {
  if (input.kind === 'terminal') terminal.err(`Reading ${what} from the terminal; Ctrl-D ends.\n`);
  const read = async (): Promise<string> => {
    let text = '';
    for await (const piece of input.text()) text += piece;
    return text;
  };
  try {
    return (await unlessAborted(read(), signal)).replace(/\r?\n$/, '');
  } finally {
    input.close();
  }
}

/** The values of `name value name value …`; `-` takes one from standard input. */
export async function givenPairs(pairs: readonly string[], sources: ValueSources): Promise<Readonly<Record<string, GivenValue>>> {
  if (pairs.length % 2 === 1) throw new CliError(`${pairs.length === 1 ? `"${pairs[0]}" has no value` : 'A value is missing'}: names and values follow each other, such as: log.level debug telemetry.sampling 0.1`, 2);
  const values = new Map<string, GivenValue>();
  for (let at = 0; at < pairs.length; at += 2) {
    const [name = '', text = ''] = pairs.slice(at, at + 2);
    if (values.has(name)) throw new CliError(`${name} stands twice: say each setting once.`, 2);
    values.set(name, text === '-' ? '-' : typedValue(text));
  }
  const piped = [...values].filter(([, value]) => value === '-').map(([name]) => name);
  const [only, another] = piped;
  if (another !== undefined) throw new CliError(`Standard input is one value, and ${piped.join(' and ')} want it: send them one after the other, or all in a document (--file -).`, 2);
  if (only !== undefined) values.set(only, typedValue(await readInput(sources, `the value of ${only}`)));
  return Object.fromEntries(values);
}

/** A document of settings: a file, or `-` for standard input. */
export async function givenDocument(file: string, sources: ValueSources): Promise<unknown> {
  let text: string;
  if (file === '-') text = await readInput(sources, 'a document of settings');
  else {
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new CliError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}): is that its name?`, 2);
    }
  }
  return checked(() => parseDocument(text));
}
