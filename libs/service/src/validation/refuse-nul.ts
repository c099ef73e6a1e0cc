import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { badRequest } from '@talaria/errors';
import { registryOf, type ContractMethod } from '@talaria/rpc';

/** A step into a message: the key of an object, the place in a list, or the key of a map. */
type Step = string | number | { readonly key: string };

/** Where a text with U+0000 is, as the way to it through ts-proto's plain objects. */
function findNul(value: unknown): Step[] | undefined {
  if (typeof value === 'string') return value.includes('\0') ? [] : undefined;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return undefined;
  const inside = (step: Step, inner: unknown): Step[] | undefined => {
    const found = findNul(inner);
    return found && [step, ...found];
  };
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const found = inside(at, value[at]);
      if (found) return found;
    }
    return undefined;
  }
  if (value instanceof Map) {
    for (const [key, inner] of value as Map<unknown, unknown>) {
      const found = findNul(key) ? [{ key: String(key) }] : inside({ key: String(key) }, inner);
      if (found) return found;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    const found = key.includes('\0') ? [key] : inside(key, (value as Record<string, unknown>)[key]);
    if (found) return found;
  }
  return undefined;
}

const asWritten = (key: string): string => JSON.stringify(key);

/** The path in proto names: `items[1].name`. ts-proto keeps a oneof as `{ $case, value }`, and a map as an object. */
function pathOf(steps: readonly Step[], message: DescMessage | undefined, request: unknown): string {
  let path = '';
  let inside: DescMessage | undefined = message;
  let map: DescField | undefined;
  let value: unknown = request;
  for (const step of steps) {
    const holder = value;
    const key = typeof step === 'object' ? step.key : step;
    value = holder instanceof Map ? holder.get(key) : (holder as Record<string | number, unknown>)[key];
    if (typeof step === 'number') path += `[${step}]`;
    else if (map || typeof step === 'object') {
      path += `[${asWritten(String(key))}]`;
      inside = map?.fieldKind === 'map' ? map.message : inside;
      map = undefined;
    } else {
      const isCase = step === 'value' && typeof holder === 'object' && holder !== null && '$case' in holder;
      const name = isCase ? String(holder.$case) : step;
      const field: DescField | undefined = inside?.fields.find((each) => each.localName === name || each.jsonName === name);
      // The name of a oneof is no part of a path; its case is.
      if (!field && inside?.oneofs.some((oneof) => oneof.localName === name)) continue;
      path += `${path === '' ? '' : '.'}${field?.name ?? name}`;
      map = field?.fieldKind === 'map' ? field : undefined;
      if (field) inside = field.fieldKind === 'message' || field.fieldKind === 'list' ? field.message : inside;
    }
  }
  return path;
}

/**
 * Refuses a request with U+0000 in one of its texts: `bad_request.invalid_param`, with the field. proto3 allows it, but PostgreSQL's
 * text cannot hold it, and no caller means it. The gateway says the same of JSON.
 */
export function refuseNul(request: unknown, method: ContractMethod): void {
  const found = findNul(request);
  if (!found) return;
  const input = registryOf(method.source)?.getService(method.contract)?.methods.find(({ name }) => name === method.name)?.input;
  const field = pathOf(found, input, request);
  const description = 'holds the character U+0000';
  throw badRequest('invalid_param', `A parameter is wrong: ${field} ${description}.`, { params: { param: field }, violations: [{ field, description }] });
}
