import { getExtension, hasExtension, toBinary, type DescMethod, type FileRegistry } from '@bufbuild/protobuf';
import { HttpRule } from '@talaria/contracts/google/api/http';
import { AccessRule } from '@talaria/contracts/talaria/options/v1/options';

// What is a route is the gateway's to say (transcode/routes.ts and transcode/reserved.ts of @talaria/http, which a service does not
// stand on): what it does not route must not keep others from the route. routes.test.ts holds both to the same.

/** The gateway answers these itself, and all below `/docs/`. */
const RESERVED = new Set(['healthz', 'readyz', 'openapi.json', 'docs']);

function optionOf(method: DescMethod, registry: FileRegistry, name: string): Uint8Array | undefined {
  const extension = registry.getExtension(name);
  const { options } = method.proto;
  if (!extension?.message || !options || !hasExtension(options, extension)) return undefined;
  return toBinary(extension.message, getExtension(options, extension) as Parameters<typeof toBinary>[1]);
}

/** Whether HTTP can reach it, and customers may call it. */
function isPublic(method: DescMethod, registry: FileRegistry): boolean {
  if (method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming') return false;
  const access = optionOf(method, registry, 'talaria.options.v1.access');
  const kind = access && AccessRule.decode(access).kind?.$case;
  return kind === 'anyone' || kind === 'principal';
}

function isReserved(path: string): boolean {
  // `{name=docs/*}` matches what `docs/*` does.
  const [first = '', ...others] = path.slice(1).replace(/\{[^{}=]*=([^{}]*)\}/g, '$1').split('/');
  return others.length === 0 ? RESERVED.has(first) : first === 'docs';
}

function routeOf({ pattern }: HttpRule): string | undefined {
  if (pattern === undefined) return undefined;
  const [method, path] = pattern.$case === 'custom' ? [pattern.value.kind, pattern.value.path] : [pattern.$case, pattern.value];
  return isReserved(path) ? undefined : `${method.toUpperCase()} ${path}`;
}

/** All of them, or none if the gateway refuses one. */
function routesOfMethod(method: DescMethod, registry: FileRegistry): readonly string[] {
  const http = optionOf(method, registry, 'google.api.http');
  if (!http || !isPublic(method, registry)) return [];
  const rule = HttpRule.decode(http);
  const routes = [rule, ...rule.additionalBindings].map(routeOf);
  return routes.every((route) => route !== undefined) ? routes : [];
}

/** The public routes of a contract, from its annotations, as the gateway routes them: `POST /accounts`, `GET /accounts/{id}`. */
export function routesOf(contract: string, registry: FileRegistry): readonly string[] {
  const methods = registry.getService(contract)?.methods ?? [];
  return methods.flatMap((method) => routesOfMethod(method, registry));
}
