import { planMethod } from '../method/plan.ts';
import type { ProtoMethod, ProtoRoute } from '../proto/method.ts';
import type { ProtoFile } from '../proto/proto-file.ts';
import type { FoundContract } from '../workspace/find.ts';

/** The fields of a message at the top of a proto file: name and type. */
function fieldsOf({ text, types }: ProtoFile, name: string): ReadonlyMap<string, string> {
  const type = types.find((each) => each.name === name);
  const body = type ? text.slice(type.start, type.end).replaceAll(/\/\/[^\n]*/g, '') : '';
  return new Map([...body.matchAll(/(?:^|[;{}])\s*(?:optional\s+|repeated\s+)?([\w.]+)\s+(\w+)\s*=\s*\d+/g)].map((match) => [match[2] ?? '', match[1] ?? '']));
}

/** The route that a method gets by its name and its request (AIP-131 to 136), below `base`. */
function routeByName(found: FoundContract, { name, request, idempotency }: ProtoMethod, base: string): ProtoRoute {
  const fields = fieldsOf(found.proto, request);
  const [, standard = '', rest = ''] = /^(Create|Get|List|Update|Delete)(?=[A-Z])(.*)$/.exec(name) ?? [];
  const nested = [...fields].find(([field, type]) => type === rest && field.replaceAll('_', '') === rest.toLowerCase())?.[0];
  const one = `${base}${fields.has('id') ? '/{id}' : ''}`;
  if (standard === 'Create') return { verb: 'post', path: base, body: '*' };
  if (standard === 'List') return { verb: 'get', path: base, body: undefined };
  if (standard === 'Update' && nested !== undefined) return { verb: 'patch', path: `${base}/{${nested}.id}`, body: nested };
  if (fields.has('id')) {
    if (standard === 'Get') return { verb: 'get', path: one, body: undefined };
    if (standard === 'Delete') return { verb: 'delete', path: one, body: undefined };
    if (standard === 'Update') return { verb: 'patch', path: one, body: '*' };
  }
  const action = planMethod(name, found).verb;
  return idempotency === 'NO_SIDE_EFFECTS' ? { verb: 'get', path: `${one}:${action}`, body: undefined } : { verb: 'post', path: `${one}:${action}`, body: '*' };
}

/** The route of a method in the API: that of the service below another path, or one by its name; none for a stream of requests. */
export function apiRoute(found: FoundContract, method: ProtoMethod, paths: { readonly service: string | undefined; readonly api: string }): ProtoRoute | undefined {
  if (method.clientStreaming) return undefined;
  const [own] = method.routes;
  if (!own || paths.service === undefined) return paths.service === undefined ? routeByName(found, method, paths.api) : undefined;
  const rest = own.path.startsWith(paths.service) ? own.path.slice(paths.service.length) : own.path;
  return { ...own, path: `${paths.api}${rest}` };
}
