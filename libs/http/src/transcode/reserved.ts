import { type Template } from './template.ts';

/**
 * The paths that the gateway answers itself; services publish no routes there (libs/service/src/routes.ts). `/oauth2/token` is not
 * among them: it is a method of auth-service like any other.
 */
const RESERVED = new Set(['/healthz', '/readyz', '/openapi.json', '/docs']);
/** What lies below one of them. */
const BELOW = '/docs/';

/** Whether the gateway answers this path itself, whatever contracts say, and whether or not it has documentation. */
export function isReservedPath(path: string): boolean {
  return RESERVED.has(path) || path.startsWith(BELOW);
}

/** Whether all paths of a template are reserved, so that its route could never be reached. */
export function isReservedTemplate({ segments, verb }: Template): boolean {
  const [first, ...others] = segments.map((segment) => (typeof segment === 'string' ? undefined : segment.literal));
  if (first === undefined) return false;
  if (others.length === 0) return verb === undefined && RESERVED.has(`/${first}`);
  return `/${first}/` === BELOW;
}
