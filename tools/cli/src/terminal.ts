/** Where a command writes, and what it may use there. */
export interface Terminal {
  /** Writes text as it is. */
  out(text: string): void;
  /** For what is not the answer itself. */
  err(text: string): void;
  readonly style: Style;
  /** The style of `err`. */
  readonly errStyle: Style;
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
  // Whoever reads us may stop reading (`| head`): that is no error.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(0));
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    style: styleFor(process.stdout, process.env),
    errStyle: styleFor(process.stderr, process.env),
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
