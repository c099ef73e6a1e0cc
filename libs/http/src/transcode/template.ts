/** One segment of a path: a literal, `*`, or `**`, which takes all the rest. */
export type Segment = { readonly literal: string } | 'one' | 'rest';

/** A variable of a template, and the segments that it covers. */
export interface Variable {
  /** A field path: `shelf.id`. */
  readonly name: string;
  /** First segment. */
  readonly from: number;
  /** One past the last segment; undefined when it ends with `**`. */
  readonly to: number | undefined;
  /** Whether it is one segment only, and so is decoded whole. */
  readonly single: boolean;
}

/** A path template of google.api.http. */
export interface Template {
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  /** What stands behind the last colon. */
  readonly verb: string | undefined;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const LITERAL = /^[^{}*/:?#\s]+$/;

/**
 * Parses `/v1/{name=shelves/*}/books:list`. Throws an Error that says what is wrong.
 * The grammar is that of https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
 */
export function parseTemplate(text: string): Template {
  const wrong = (why: string): Error => new Error(`path template ${JSON.stringify(text)}: ${why}`);
  if (!text.startsWith('/')) throw wrong('must begin with /');
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  let rest = text.slice(1);

  let verb: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > Math.max(rest.lastIndexOf('/'), rest.lastIndexOf('}'))) {
    verb = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!LITERAL.test(verb)) throw wrong('the verb behind : must be a literal');
  }

  const add = (part: string): void => {
    if (segments.at(-1) === 'rest') throw wrong('** must be the last segment');
    if (part === '**') segments.push('rest');
    else if (part === '*') segments.push('one');
    else if (LITERAL.test(part)) segments.push({ literal: decodeURIComponent(part) });
    else throw wrong(`${JSON.stringify(part)} is no segment`);
  };

  while (rest !== '') {
    const variable = /^\{([^{}=]*)(?:=([^{}]*))?\}/.exec(rest);
    if (variable) {
      const [whole, name = '', pattern = '*'] = variable;
      if (!IDENTIFIER.test(name)) throw wrong(`${JSON.stringify(name)} is no field path`);
      if (variables.some((other) => other.name === name)) throw wrong(`${name} stands there twice`);
      const from = segments.length;
      pattern.split('/').forEach(add);
      variables.push({ name, from, to: segments.at(-1) === 'rest' ? undefined : segments.length, single: pattern === '*' });
      rest = rest.slice(whole.length);
    } else {
      const part = /^[^/{]*/.exec(rest)?.[0] ?? '';
      add(part);
      rest = rest.slice(part.length);
    }
    if (rest === '') break;
    if (!rest.startsWith('/') || rest === '/') throw wrong('segments are parted by one /');
    rest = rest.slice(1);
  }
  if (segments.length === 0 && text !== '/') throw wrong('has no segments');
  return { segments, variables, verb };
}
