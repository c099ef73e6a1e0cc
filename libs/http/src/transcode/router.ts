import { percentDecode } from './form.ts';
import { type Template } from './template.ts';

/** Something that a method and a template lead to. */
export interface Routed {
  /** `GET`, or `*` for any. */
  readonly method: string;
  readonly template: Template;
}

/** What a request leads to. */
export type Found<R> = { readonly route: R; variable(name: string): string } | { readonly allow: readonly string[] } | undefined;

interface Node<R> {
  readonly literals: Map<string, Node<R>>;
  one?: Node<R>;
  rest?: Node<R>;
  /** Routes that end here, by verb ('' for none), then by method. */
  readonly ends: Map<string, Map<string, R>>;
}

const newNode = <R>(): Node<R> => ({ literals: new Map(), ends: new Map() });

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // Matches no literal; a variable says what is wrong.
  }
}

/** Every end that fits, most specific first: a literal before `*`, that before `**`. */
function* ends<R>(node: Node<R>, segments: readonly string[], at: number): Generator<Map<string, Map<string, R>>> {
  const segment = segments[at];
  if (segment === undefined) yield node.ends;
  else {
    const literal = node.literals.get(decoded(segment));
    if (literal) yield* ends(literal, segments, at + 1);
    if (node.one && segment !== '') yield* ends(node.one, segments, at + 1);
  }
  if (node.rest) yield node.rest.ends;
}

/** Finds routes by method and path. */
export interface Router<R> {
  /** The route; the methods that the path has, when it lacks this one; undefined for an unknown path. */
  find(method: string, path: string): Found<R>;
}

/** Longer paths match nothing. */
const MAX_SEGMENTS = 64;

/** Makes a router; of two routes with the same method and template the first counts, and `onClash` hears of the other. */
export function createRouter<R extends Routed>(routes: Iterable<R>, onClash: (kept: R, dropped: R) => void): Router<R> {
  const root = newNode<R>();
  for (const route of routes) {
    let node = root;
    for (const segment of route.template.segments) {
      if (segment === 'one') node = node.one ??= newNode();
      else if (segment === 'rest') node = node.rest ??= newNode();
      else {
        const next = node.literals.get(segment.literal) ?? newNode<R>();
        node.literals.set(segment.literal, next);
        node = next;
      }
    }
    const verb = route.template.verb ?? '';
    const methods = node.ends.get(verb) ?? new Map<string, R>();
    node.ends.set(verb, methods);
    const kept = methods.get(route.method);
    if (kept) onClash(kept, route);
    else methods.set(route.method, route);
  }

  /** The readings of a path: with a verb behind the last colon, and without one. */
  const readings = (path: string): { segments: string[]; verb: string }[] => {
    const segments = path === '/' ? [] : path.slice(1).split('/', MAX_SEGMENTS + 1);
    if (segments.length > MAX_SEGMENTS) return [];
    const last = segments.at(-1) ?? '';
    const colon = last.lastIndexOf(':');
    const plain = { segments, verb: '' };
    if (colon < 0) return [plain];
    return [{ segments: [...segments.slice(0, -1), last.slice(0, colon)], verb: last.slice(colon + 1) }, plain];
  };

  return {
    find(method, path) {
      const allow = new Set<string>();
      for (const { segments, verb } of readings(path)) {
        for (const end of ends(root, segments, 0)) {
          const methods = end.get(verb);
          const route = methods?.get(method) ?? methods?.get('*');
          if (route) return { route, variable: (name) => variableOf(route.template, segments, name) };
          for (const other of methods?.keys() ?? []) allow.add(other);
        }
      }
      return allow.size > 0 ? { allow: [...allow].sort() } : undefined;
    },
  };
}

/** A variable's text; throws `bad_request.invalid_encoding`. In one of several segments an encoded slash stays encoded. */
function variableOf(template: Template, segments: readonly string[], name: string): string {
  const variable = template.variables.find((one) => one.name === name);
  if (!variable) return '';
  return segments
    .slice(variable.from, variable.to)
    .map((segment) => percentDecode(variable.single ? segment : segment.replaceAll(/%2f/gi, '%252F'), name))
    .join('/');
}
