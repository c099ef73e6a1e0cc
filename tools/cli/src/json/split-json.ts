import type { Position } from './json-text.ts';

/** The text of one JSON value out of many, and where it begins. */
export interface JsonPiece {
  readonly text: string;
  readonly position: Position;
}

/** Far above what a service takes (4 MiB); what grows beyond has lost a bracket. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/**
 * Cuts text that arrives in pieces into JSON values, which follow each other with or without white space: each is yielded as
 * soon as its last character has arrived, so that a person can converse. A number, true, false and null end where something
 * else begins. What is no JSON is yielded as well, as soon as that is sure: whoever parses it says what is wrong.
 */
export async function* splitJson(chunks: AsyncIterable<string>): AsyncGenerator<JsonPiece, void, undefined> {
  let pending = '';
  let begin: Position | undefined;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let [line, column] = [1, 1];

  const take = (): JsonPiece => {
    const piece = { text: pending, position: begin ?? { line, column } };
    [pending, begin, depth, inString, escaped] = ['', undefined, 0, false, false];
    return piece;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at] ?? '';
      const blank = character === ' ' || character === '\t' || character === '\r' || character === '\n' || character === '\uFEFF';
      // A scalar ends before what cannot be part of it.
      if (begin && depth === 0 && !inString && (blank || character === '{' || character === '[' || character === '"')) {
        pending += chunk.slice(from, at);
        yield take();
      }
      if (!begin && !blank) [begin, from] = [{ line, column }, at];
      let complete = false;
      if (inString) {
        if (escaped) escaped = false;
        else if (character === '\\') escaped = true;
        else if (character === '"') [inString, complete] = [false, depth === 0];
        // No string of JSON holds one: waiting for its end would be in vain.
        else if (character === '\n') complete = true;
      } else if (character === '"') inString = true;
      else if (character === '{' || character === '[') depth++;
      else if (character === '}' || character === ']') complete = --depth <= 0;
      if (character === '\n') [line, column] = [line + 1, 1];
      else column++;
      if (complete) {
        pending += chunk.slice(from, at + 1);
        from = at + 1;
        yield take();
      }
    }
    if (begin) pending += chunk.slice(from);
    if (pending.length > MAX_CHARACTERS) yield take();
  }
  if (begin) yield take();
}
