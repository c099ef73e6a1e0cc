/** How often `*`, `+` and open ranges repeat beyond their least. */
type Extra = number;
type Sample = (extra: Extra) => string;

/** Longer repetitions are not worth an example. */
const MAX_REPEAT = 100;
const PREFERRED = ['a', 'A', '0', '1', '-', '_', '.', ' '];
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));

/** A character that one atom (`[A-Z]`, `\d`, `.`) matches. */
function characterOf(atom: string): string | undefined {
  const regExp = new RegExp(`^${atom}$`, 'u');
  return [...PREFERRED, ...PRINTABLE].find((character) => regExp.test(character));
}

interface Reader {
  readonly text: string;
  at: number;
}

const take = (reader: Reader, pattern: RegExp): string | undefined => {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
};

function readAlternatives(reader: Reader): Sample {
  const first = readSequence(reader);
  // The others are read to know where they end.
  while (take(reader, /\|/y) !== undefined) readSequence(reader);
  return first;
}

function readSequence(reader: Reader): Sample {
  const parts: Sample[] = [];
  while (reader.at < reader.text.length && !'|)'.includes(reader.text[reader.at] ?? '')) {
    const atom = readAtom(reader);
    const quantifier = take(reader, /[*+?]|\{\d+(?:,\d*)?\}/y);
    if (quantifier !== undefined) take(reader, /\?/y);
    parts.push(repeated(atom, quantifier));
  }
  return (extra) => parts.map((part) => part(extra)).join('');
}

function repeated(atom: Sample, quantifier: string | undefined): Sample {
  if (quantifier === undefined) return atom;
  const [least, greatest] = quantifier === '*' ? [0, Infinity] : quantifier === '+' ? [1, Infinity] : quantifier === '?' ? [0, 1] : rangeOf(quantifier);
  return (extra) => atom(extra).repeat(Math.min(least + extra, greatest, Math.max(least, MAX_REPEAT)));
}

function rangeOf(quantifier: string): readonly [number, number] {
  const [least = '0', greatest] = quantifier.slice(1, -1).split(',');
  return [Number(least), greatest === undefined ? Number(least) : greatest === '' ? Infinity : Number(greatest)];
}

function readAtom(reader: Reader): Sample {
  if (take(reader, /\^|\$|\\b|\\B/y) !== undefined) return () => '';
  if (take(reader, /\((?:\?:|\?<[A-Za-z_]\w*>)?(?!\?)/y) !== undefined) {
    const inner = readAlternatives(reader);
    if (take(reader, /\)/y) === undefined) throw new Error('a group without an end');
    return inner;
  }
  const atom = take(reader, /\[\^?\]?(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^()[\]{}*+?|\\]/y);
  const character = atom === undefined ? undefined : characterOf(atom);
  if (character === undefined) throw new Error('nothing that matches');
  return () => character;
}

/** A text that a regular expression matches and that `fits`; undefined when the expression is beyond this. */
export function regexSample(pattern: string, fits: (text: string) => boolean): string | undefined {
  try {
    const regExp = new RegExp(pattern, 'u');
    const reader = { text: pattern, at: 0 };
    const sample = readAlternatives(reader);
    if (reader.at < pattern.length) return undefined;
    for (let extra = 0; extra <= MAX_REPEAT; extra++) {
      const text = sample(extra);
      if (regExp.test(text) && fits(text)) return text;
    }
  } catch {
    // Not of this syntax.
  }
  return undefined;
}
