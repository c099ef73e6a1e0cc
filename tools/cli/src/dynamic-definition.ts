import { fromBinary, toBinary, type DescMethod, type Message } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { DurationSchema, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import type { MethodDefinition } from '@talaria/rpc';

/** The name of the one method in a dynamic definition. */
export const CALLED = 'called';

/** The number of `talaria.options.v1.deadline`. */
const DEADLINE_FIELD = 52002;

/** The longest a call may take by the contract, in ms; undefined where it does not say. */
export function deadlineMsOf(method: DescMethod): number | undefined {
  const found = method.proto.options?.$unknown?.findLast(({ no }) => no === DEADLINE_FIELD);
  if (!found) return undefined;
  const { seconds, nanos } = fromBinary(DurationSchema, new BinaryReader(found.data).bytes());
  return Number(seconds) * 1000 + nanos / 1e6;
}

const IDEMPOTENCY = {
  [MethodOptions_IdempotencyLevel.IDEMPOTENT]: 'IDEMPOTENT',
  [MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS]: 'NO_SIDE_EFFECTS',
  [MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN]: undefined,
} as const;

/** What else the contract says of it (`talaria.options.v1`), undecoded, as ts-proto keeps extensions. */
function extensions({ proto: { options } }: DescMethod): object {
  const found = (options?.$unknown ?? []).filter(({ no }) => no >= 52_000 && no < 53_000);
  const byTag = Map.groupBy(found, ({ no, wireType }) => (no << 3) | wireType);
  return byTag.size === 0 ? {} : { _unknownFields: Object.fromEntries([...byTag].map(([tag, fields]) => [tag, fields.map(({ data }) => data)])) };
}

/** A definition of one method, made from its descriptor, with the options by which clients go. */
export function dynamicDefinition(method: DescMethod): { readonly [CALLED]: MethodDefinition<Message, Message, Message, Message> } {
  const { input, output, methodKind } = method;
  const idempotencyLevel = IDEMPOTENCY[method.idempotency];
  return {
    [CALLED]: {
      path: `/${method.parent.typeName}/${method.name}`,
      requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
      responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
      requestSerialize: (message) => toBinary(input, message),
      requestDeserialize: (bytes) => fromBinary(input, bytes),
      responseSerialize: (message) => toBinary(output, message),
      responseDeserialize: (bytes) => fromBinary(output, bytes),
      options: { ...(idempotencyLevel ? { idempotencyLevel } : {}), ...extensions(method) },
    },
  };
}
