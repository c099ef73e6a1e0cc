import { closest } from '@talaria/base';
import type { ServerMiddleware } from '@talaria/rpc';
import { WiringError } from './wiring-error.ts';

/** Where middleware goes. At most one of `replaces`, `before` and `after`; with none it is innermost. */
export interface UseOptions {
  /** How others refer to it. Default: the name of the function. */
  readonly name?: string | undefined;
  /** The name of the middleware whose place it takes, such as `validation`. */
  readonly replaces?: string | undefined;
  /** The name of the middleware that it goes around. */
  readonly before?: string | undefined;
  /** The name of the middleware that goes around it. */
  readonly after?: string | undefined;
}

/** One layer around all handlers. */
export interface NamedMiddleware {
  readonly name: string;
  readonly middleware: ServerMiddleware;
}

/** The layers around the handlers of a service. */
export interface MiddlewareStack {
  /** Throws a `WiringError` for a name that is taken and for a reference to one that is not there. */
  use(middleware: ServerMiddleware, options: UseOptions): void;
  /** Outermost first. */
  names(): readonly string[];
  /** Outermost first; the same array until it changes. */
  current(): readonly ServerMiddleware[];
}

/** Makes a stack of the platform's own layers. */
export function createMiddlewareStack(builtIns: readonly NamedMiddleware[]): MiddlewareStack {
  let layers = [...builtIns];
  let current: readonly ServerMiddleware[] = layers.map(({ middleware }) => middleware);

  const find = (name: string): number => {
    const at = layers.findIndex((layer) => layer.name === name);
    if (at >= 0) return at;
    const names = layers.map((layer) => layer.name);
    const near = closest(name, names);
    throw new WiringError(`There is no middleware "${name}": ${near === undefined ? 'use one of' : `did you mean "${near}"? There are`} ${names.join(', ')}.`);
  };
  const isTaken = (name: string, except?: string): boolean => name !== except && layers.some((layer) => layer.name === name);
  /** Of a function that comes twice, such as one made by a factory, the second is `name-2`. */
  const freeName = (wanted: string, except?: string): string => {
    for (let count = 1; ; count++) {
      const name = count === 1 ? wanted : `${wanted}-${count}`;
      if (!isTaken(name, except)) return name;
    }
  };

  return {
    use(middleware, { name, replaces, before, after }) {
      if ([replaces, before, after].filter((each) => each !== undefined).length > 1) {
        throw new WiringError('Middleware has one place: give use() one of replaces, before and after.');
      }
      if (name === '') throw new WiringError('Middleware cannot be called "": give use() a name by which others can refer to it, or none.');
      if (name !== undefined && isTaken(name, replaces)) throw new WiringError(`There is a middleware "${name}" already: give this one another name, or replace that one with { replaces: '${name}' }.`);
      const reference = replaces ?? before ?? after;
      const at = reference === undefined ? layers.length : find(reference) + (after === undefined ? 0 : 1);
      const layer = { name: name ?? freeName(middleware.name || replaces || 'middleware', replaces), middleware };
      layers = layers.toSpliced(at, replaces === undefined ? 0 : 1, layer);
      current = layers.map((each) => each.middleware);
    },
    names: () => layers.map(({ name }) => name),
    current: () => current,
  };
}
