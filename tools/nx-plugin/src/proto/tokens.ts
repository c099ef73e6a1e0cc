import { GeneratorError } from '../generator-error.ts';

/** One token of a proto file. */
export interface Token {
  readonly kind: 'comment' | 'string' | 'word' | 'mark';
  /** As it stands there; of a string what stands between the quotes. */
  readonly text: string;
  readonly start: number;
  /** One past the last character. */
  readonly end: number;
}

const SPACE = /\s+/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/y;
const WORD = /[\w.]+/y;

/** The tokens of a proto file. Throws a `GeneratorError` for a string or a comment without an end. */
export function tokensOf(text: string, file: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const add = (kind: Token['kind'], found: RegExpExecArray, content = found[0]): void => {
    tokens.push({ kind, text: content, start: at, end: at + found[0].length });
    at += found[0].length;
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space) {
      at += space[0].length;
      continue;
    }
    const comment = match(COMMENT);
    const string = match(STRING);
    const word = match(WORD);
    if (comment) add('comment', comment);
    else if (string) add('string', string, string[1] ?? string[2]);
    else if (word) add('word', word);
    else {
      const mark = text.charAt(at);
      if (mark === '"' || mark === "'") throw new GeneratorError(`A string has no end in ${file}: run "npx buf lint proto" and mend what it says.`);
      tokens.push({ kind: 'mark', text: mark, start: at, end: at + 1 });
      at++;
    }
  }
  return tokens;
}
