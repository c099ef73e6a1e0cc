import type { Token } from './tokens.ts';

/** A method of a service. */
export interface ProtoMethod {
  readonly name: string;
  /** The types as they stand there. */
  readonly request: string;
  readonly response: string;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
  /** Such as `NO_SIDE_EFFECTS`; undefined if it says nothing. */
  readonly idempotency: string | undefined;
  /** Public routes: `GET /accounts/{id}`. The first is that of the annotation, the others are additional bindings. */
  readonly routes: readonly ProtoRoute[];
  /** The option that says who may call, as it stands there: `option (talaria.options.v1.access) = …;`. */
  readonly access: string | undefined;
  /** The comment in front of it, without the slashes. */
  readonly comment: string;
}

/** A public route of a method. */
export interface ProtoRoute {
  /** Such as `get`. */
  readonly verb: string;
  /** Such as `/accounts/{id}`. */
  readonly path: string;
  /** The field that the body fills, `*` for all; undefined for none. */
  readonly body: string | undefined;
}

const VERBS = new Set(['get', 'put', 'post', 'delete', 'patch']);

/** The options of a method, each as its tokens between `option` and the semicolon. */
function optionsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const options: Token[][] = [];
  let current: Token[] | undefined;
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'comment') continue;
    if (token.kind === 'mark' && token.text === '{') depth++;
    if (token.kind === 'mark' && token.text === '}') depth--;
    if (current && token.kind === 'mark' && token.text === ';' && depth === 1) {
      options.push(current);
      current = undefined;
    } else if (current) current.push(token);
    else if (token.kind === 'word' && token.text === 'option' && depth === 1) current = [];
  }
  return options;
}

function routesIn(option: readonly Token[]): ProtoRoute[] {
  const routes: { verb: string; path: string; body: string | undefined }[] = [];
  let body: string | undefined;
  option.forEach(({ kind, text }, index) => {
    const value = option[index + 2];
    if (kind !== 'word' || value?.kind !== 'string') return;
    const field = text.replace(/^\./, '');
    if (VERBS.has(field)) routes.push({ verb: field, path: value.text, body: undefined });
    // It may stand before the path or behind it.
    if (field === 'body') body = value.text;
    const last = routes.at(-1);
    if (last && body !== undefined) {
      last.body = body;
      body = undefined;
    }
  });
  return routes;
}

/** Reads a method from its tokens, `rpc` first, which stand in `text`. */
export function readMethod(tokens: readonly Token[], comment: string, text: string): ProtoMethod {
  const code = tokens.filter(({ kind }) => kind !== 'comment');
  const returns = code.findIndex(({ text }) => text === 'returns');
  // Between the first pair of parentheses the request, between the second the response.
  const side = (from: number): { type: string; stream: boolean } => {
    const open = code.findIndex(({ text }, index) => index >= from && text === '(');
    const stream = code[open + 1]?.text === 'stream';
    return { type: code[open + (stream ? 2 : 1)]?.text ?? '', stream };
  };
  const [request, response] = [side(0), side(returns)];
  const options = optionsOf(tokens);
  const named = (name: string): readonly (readonly Token[])[] => options.filter((option) => option.some(({ text }, index) => text === name && index <= 1));
  const [access] = named('talaria.options.v1.access');
  return {
    name: code[1]?.text ?? '',
    request: request.type,
    response: response.type,
    clientStreaming: request.stream,
    serverStreaming: response.stream,
    idempotency: named('idempotency_level')[0]?.at(-1)?.text,
    routes: named('google.api.http').flatMap(routesIn),
    access: access && `option ${text.slice((access[0] as Token).start, (access.at(-1) as Token).end)};`,
    comment,
  };
}
