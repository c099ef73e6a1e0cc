import { BinaryReader } from '@bufbuild/protobuf/wire';

/** How much a call matters when not everything can be served: `sheddable` ones are refused first, `critical` ones last. */
export type Priority = 'critical' | 'default' | 'sheddable';

/** All priorities, the most important one first. */
export const PRIORITIES: readonly Priority[] = ['critical', 'default', 'sheddable'];

/** The baggage in which the priority of a call travels, over all hops below it. Without it a call has that of its contract. */
export const PRIORITY_BAGGAGE = 'talaria-priority';

/** The priority in a `baggage` header as it arrived; undefined if there is none. Cheap: it is asked of every call before anything is decoded. */
export function priorityInBaggage(header: string | undefined): Priority | undefined {
  if (header === undefined) return undefined;
  // Of several entries of one name the last counts.
  for (let at = header.lastIndexOf(PRIORITY_BAGGAGE); at >= 0; at = at === 0 ? -1 : header.lastIndexOf(PRIORITY_BAGGAGE, at - 1)) {
    const before = at === 0 ? ',' : header[at - 1];
    if (before !== ',' && before !== ' ' && before !== '\t') continue;
    const [, value] = /^\s*=\s*(\w+)\s*(?:[,;]|$)/.exec(header.slice(at + PRIORITY_BAGGAGE.length, at + PRIORITY_BAGGAGE.length + 32)) ?? [];
    return PRIORITIES.find((priority) => priority === value);
  }
  return undefined;
}

/** `talaria.options.v1.priority`, as ts-proto keeps an extension of `google.protobuf.MethodOptions`: number 52004, a varint. */
const PRIORITY_TAG = 52004 << 3;
/** `talaria.options.v1.Priority`, whose numbers never change. */
const NUMBERS: readonly (Priority | undefined)[] = [undefined, 'critical', 'default', 'sheddable'];

interface KnownOptions {
  readonly priority?: Priority;
  readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[] | undefined>>;
}

/**
 * The priority of a method by the options of its contract: what `talaria.options.v1.priority` says, or `priority` in definitions
 * that are made at run time. Undefined where neither is there.
 */
export function methodPriority(options: object | undefined): Priority | undefined {
  const { priority, _unknownFields: unknown } = (options ?? {}) as KnownOptions;
  const bytes = unknown?.[PRIORITY_TAG]?.at(-1);
  return priority ?? (bytes && NUMBERS[new BinaryReader(bytes).uint32()]);
}
