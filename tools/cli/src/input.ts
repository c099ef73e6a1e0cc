import { fstatSync } from 'node:fs';
import { CliError } from './cli-error.ts';

/** Where a command reads. */
export interface Input {
  /** `terminal`: a person types; `pipe`: `|` or `<` of a shell; `other`: nothing that anybody connected on purpose, as far as can be told. */
  readonly kind: 'terminal' | 'pipe' | 'other';
  /** What arrives, piece by piece, as it arrives. Reading begins with the first one that is asked for. */
  text(): AsyncIterable<string>;
  /** Ends the reading, so that nothing waits for more. */
  close(): void;
}

function kindOfStdin(): Input['kind'] {
  if (process.stdin.isTTY) return 'terminal';
  try {
    const found = fstatSync(0);
    // Programs that start this one connect sockets and devices by habit, whether or not they have anything to say.
    return found.isFIFO() || found.isFile() ? 'pipe' : 'other';
  } catch {
    return 'other';
  }
}

/** Pieces of text out of pieces of bytes. Throws a `CliError` for what is no UTF-8. */
export async function* decoded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new CliError('Standard input is not UTF-8: convert it first, such as with "iconv -t utf-8".', 2);
    }
  };
  for await (const chunk of chunks) yield decode(chunk);
  yield decode();
}

/** The standard input of this process. */
export function processInput(): Input {
  return {
    kind: kindOfStdin(),
    text: () => decoded(process.stdin as AsyncIterable<Uint8Array>),
    close: () => void process.stdin.destroy(),
  };
}
