import type { Input } from '../input.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** All of standard input. */
export async function readAll(input: Input, signal: AbortSignal): Promise<string> {
  const read = async (): Promise<string> => {
    let text = '';
    for await (const piece of input.text()) text += piece;
    return text;
  };
  try {
    return await unlessAborted(read(), signal);
  } finally {
    input.close();
  }
}
