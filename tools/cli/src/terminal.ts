import { once } from 'node:events';

/** Where a command writes, and what it may use there. */
export interface Terminal {
  /** Writes text as it is. */
  out(text: string): void;
  /** For what is not the answer itself. */
  err(text: string): void;
  readonly style: Style;
  /** The style of `err`. */
  readonly errStyle: Style;
  /** Whether a person reads `out` as it comes. Default false. */
  readonly interactive?: boolean;
  /** Whether a person reads `err` as it comes, so that a line of it may be written over. Default false. */
  readonly errInteractive?: boolean;
  /** Resolves when whoever reads `out` has room for more. Default: at once. */
  room?(): Promise<void>;
  /** Aborts when nobody reads `out` any more (`| head -1`). Default: never. */
  readonly gone?: AbortSignal;
}

/** Colours, or none. */
export interface Style {
  good(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

const plain = (text: string): string => text;
const ansi =
  (code: number, end = 0) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[${end}m`;

/** Colours on a terminal, unless NO_COLOR is set. */
export function styleFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Style {
  if (!stream.isTTY || env['NO_COLOR']) return { good: plain, bad: plain, dim: plain, strong: plain };
  return { good: ansi(32), bad: ansi(31), dim: ansi(2), strong: ansi(1) };
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  const gone = new AbortController();
  // Whoever reads us may stop reading (`| head -1`): that is no error, and no reason to go on. A full disk is one.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    gone.abort();
    if (error.code === 'EPIPE' || process.exitCode === 1) return;
    process.exitCode = 1;
    stderr.write(`talaria: The output could not be written (${error.code ?? error.message}): write it elsewhere.\n`);
  });
  stderr.on('error', () => {});
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    style: styleFor(stdout, process.env),
    errStyle: styleFor(stderr, process.env),
    interactive: stdout.isTTY,
    errInteractive: stderr.isTTY,
    room: async () => {
      if (stdout.writableNeedDrain && !gone.signal.aborted) await once(stdout, 'drain', { signal: gone.signal }).catch(() => {});
    },
    gone: gone.signal,
  };
}

/** Text from elsewhere, made harmless for a terminal: control characters are shown, not obeyed. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Rows in columns; the first row is the head. */
export function table(rows: readonly (readonly string[])[], style: Style): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row, index) => {
      const line = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
      return `${index === 0 ? style.strong(line) : line}\n`;
    })
    .join('');
}
