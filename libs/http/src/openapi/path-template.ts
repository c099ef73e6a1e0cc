import { type Template, type Variable } from '../transcode/template.ts';

/** A part of a path that a client fills in. */
export interface PathParam {
  /** As it stands between braces. */
  readonly name: string;
  readonly variable: Variable;
  /** Which segment it is. */
  readonly at: number;
  /** Whether it is all that its variable covers. */
  readonly whole: boolean;
  /** Whether it may hold several segments. */
  readonly rest: boolean;
}

/** A path as OpenAPI writes it, where each parameter is one segment: `/v1/{name=shelves/*}` is `/v1/shelves/{name}`. */
export interface OpenApiPath {
  readonly path: string;
  /** The same for all paths that differ in the names of their parameters only, which OpenAPI takes for one. */
  readonly shape: string;
  readonly params: readonly PathParam[];
}

const literalText = (literal: string): string => encodeURIComponent(literal).replaceAll(/%(40|24|26|2B|2C|3B|3D)/g, (encoded) => decodeURIComponent(encoded));

function variableAt(template: Template, at: number): Variable {
  const found = template.variables.find(({ from, to }) => at >= from && at < (to ?? Infinity));
  return found ?? { name: `part${String(at + 1)}`, from: at, to: at + 1, single: true };
}

function paramsOf(template: Template): readonly PathParam[] {
  const names = new Set<string>();
  return template.segments.flatMap((segment, at): PathParam[] => {
    if (typeof segment !== 'string') return [];
    const variable = variableAt(template, at);
    const wild = template.segments.slice(variable.from, variable.to).filter((other) => typeof other === 'string').length;
    let name = wild > 1 ? `${variable.name}.${String(at - variable.from + 1)}` : variable.name;
    while (names.has(name)) name += '_';
    names.add(name);
    return [{ name, variable, at, whole: variable.single, rest: segment === 'rest' }];
  });
}

/** The path of a template. `names` are those of another template of the same shape, which OpenAPI wants to see once. */
export function openApiPath(template: Template, names?: readonly string[]): OpenApiPath {
  const params = paramsOf(template).map((param, index) => ({ ...param, name: names?.[index] ?? param.name }));
  const write = (name: (param: PathParam) => string): string => {
    const segments = template.segments.map((segment, at) => {
      const param = params.find((one) => one.at === at);
      return param ? `{${name(param)}}` : typeof segment === 'string' ? segment : literalText(segment.literal);
    });
    return `/${segments.join('/')}${template.verb === undefined ? '' : `:${literalText(template.verb)}`}`;
  };
  return { path: write(({ name }) => name), shape: write(() => ''), params };
}
