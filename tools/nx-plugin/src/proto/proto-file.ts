import { GeneratorError } from '../generator-error.ts';
import { readMethod, type ProtoMethod } from './method.ts';
import { tokensOf, type Token } from './tokens.ts';

/** A service of a proto file. */
export interface ProtoService {
  readonly name: string;
  /** Such as `account.v1.AccountService`. */
  readonly contract: string;
  readonly methods: readonly ProtoMethod[];
  /** The comment in front of it, without the slashes. */
  readonly comment: string;
  /** Where the closing brace is. */
  readonly bodyEnd: number;
}

/** A message or an enum at the top of a proto file. */
export interface ProtoType {
  readonly name: string;
  /** Where its comment begins. */
  readonly start: number;
  readonly end: number;
}

/** What generators need to know of a proto file. */
export interface ProtoFile {
  /** Relative to the workspace: `proto/account/v1/account.proto`. */
  readonly path: string;
  readonly text: string;
  /** Such as `account.v1`. */
  readonly package: string;
  readonly imports: readonly string[];
  readonly services: readonly ProtoService[];
  readonly types: readonly ProtoType[];
}

/** The index of the token after the braces that open at `from`, or after the next semicolon. */
function statementEnd(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const { kind, text } = tokens[at] as Token;
    if (kind !== 'mark') continue;
    if (text === '{') depth++;
    else if (text === '}' && --depth === 0) return at + 1;
    else if (text === ';' && depth === 0) return at + 1;
  }
  return tokens.length;
}

/** The first of the comments that stand directly in front of the token at `index`. */
function leadingComment(tokens: readonly Token[], index: number, text: string): number {
  let first = index;
  while (tokens[first - 1]?.kind === 'comment') {
    const between = text.slice(tokens[first - 1]?.end, tokens[first]?.start);
    if ((between.match(/\n/g) ?? []).length > 1) break;
    first--;
  }
  return first;
}

const withoutSlashes = (comments: readonly Token[]): string => comments.map(({ text }) => text.replace(/^\/\/ ?/, '').replace(/^\/\*+\s?|\s?\*\/$/g, '')).join('\n');

/** Reads a proto file. Throws a `GeneratorError` for one that cannot be read. */
export function readProto(path: string, text: string): ProtoFile {
  const tokens = tokensOf(text, path);
  const imports: string[] = [];
  const services: ProtoService[] = [];
  const types: ProtoType[] = [];
  let name = '';

  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at] as Token;
    if (token.kind === 'comment') {
      at++;
      continue;
    }
    const end = statementEnd(tokens, at);
    const inside = tokens.slice(at, end);
    const first = leadingComment(tokens, at, text);
    if (token.text === 'package') name = inside[1]?.text ?? '';
    else if (token.text === 'import') imports.push(inside.find(({ kind }) => kind === 'string')?.text ?? '');
    else if (token.text === 'message' || token.text === 'enum') {
      types.push({ name: inside[1]?.text ?? '', start: tokens[first]?.start ?? 0, end: tokens[end - 1]?.end ?? 0 });
    } else if (token.text === 'service') {
      const close = inside.at(-1);
      if (close?.text !== '}') throw new GeneratorError(`The braces of ${path} do not match: run "npx buf lint proto" and mend what it says.`);
      const called = inside[1]?.text ?? '';
      services.push({ name: called, contract: `${name}.${called}`, methods: methodsOf(inside, text), comment: withoutSlashes(tokens.slice(first, at)), bodyEnd: close.start });
    }
    at = end;
  }
  return { path, text, package: name, imports, services, types };
}

function methodsOf(service: readonly Token[], text: string): ProtoMethod[] {
  const methods: ProtoMethod[] = [];
  for (let at = 3; at < service.length; ) {
    const token = service[at] as Token;
    if (token.kind === 'comment') {
      at++;
      continue;
    }
    const end = statementEnd(service, at);
    if (token.text === 'rpc') methods.push(readMethod(service.slice(at, end), withoutSlashes(service.slice(leadingComment(service, at, text), at)), text));
    at = Math.max(end, at + 1);
  }
  return methods;
}
