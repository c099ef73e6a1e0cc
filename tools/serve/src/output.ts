import type { Readable, Writable } from 'node:stream';

/** Where everything that the user reads goes. */
export interface Output {
  /** Copies a process's output, line by line, behind its name. Resolves when the stream has ended. */
  attach(name: string, stream: Readable): void;
  /** One line of our own. */
  say(line: string): void;
  /** Several lines of our own that stand out: what the user waits for. */
  announce(text: string): void;
}

/** ANSI colours for names; red is left for errors. */
const COLORS = [36, 33, 32, 35, 34, 96, 93, 92];

/** A line longer than this is written in pieces, so that a process without line breaks cannot fill our memory. */
const MAX_LINE_CHARACTERS = 64 * 1024;

/** Writes to `destination`; colours only if it is a terminal and NO_COLOR is not set. */
export function createOutput(destination: Writable & { isTTY?: boolean }, names: readonly string[], env: NodeJS.ProcessEnv): Output {
  const colored = destination.isTTY === true && !env['NO_COLOR'];
  const width = Math.max(...names.map((name) => name.length), 'serve'.length);
  const prefix = (name: string): string => {
    const index = names.indexOf(name);
    const padded = `${name.padEnd(width)} |`;
    return colored ? `\u001b[${index < 0 ? 1 : COLORS[index % COLORS.length]}m${padded}\u001b[0m` : padded;
  };
  const write = (text: string): void => {
    if (destination.writable) destination.write(text);
  };
  return {
    attach(name, stream) {
      const start = prefix(name);
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > MAX_LINE_CHARACTERS) {
          lines.push(rest);
          rest = '';
        }
        if (lines.length > 0) write(lines.map((line) => `${start} ${line.replace(/\r$/, '')}\n`).join(''));
      });
      stream.on('end', () => {
        if (rest !== '') write(`${start} ${rest}\n`);
      });
      // A process that dies can break its pipe; its exit says enough.
      stream.on('error', () => {});
    },
    say: (line) => write(`${prefix('serve')} ${line}\n`),
    announce: (text) => write(`\n${text.trimEnd()}\n\n`),
  };
}
