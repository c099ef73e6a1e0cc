import { create, fromBinary, toBinary, type DescMethod, type DescService, type Message } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { DurationSchema, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';

/** A method as nice-grpc defines it, for messages that are known at run time only. */
export interface DynamicMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  requestSerialize(value: Message): Uint8Array;
  requestDeserialize(bytes: Uint8Array): Message;
  responseSerialize(value: Message): Uint8Array;
  responseDeserialize(bytes: Uint8Array): Message;
  readonly options: {
    readonly idempotencyLevel?: 'IDEMPOTENT' | 'NO_SIDE_EFFECTS';
    /** What the contract says of its longest call (`talaria.options.v1.deadline`). */
    readonly deadlineMs?: number;
  };
}

/** A nice-grpc service definition made from descriptors. */
export type DynamicDefinition = Readonly<Record<string, DynamicMethod>>;

function idempotency(method: DescMethod): DynamicMethod['options'] {
  if (method.idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT) return { idempotencyLevel: 'IDEMPOTENT' };
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? { idempotencyLevel: 'NO_SIDE_EFFECTS' } : {};
}

/** `talaria.options.v1.deadline`, whose number never changes: services are described by descriptors of their own. */
const DEADLINE = 52002;

function deadline({ proto: { options } }: DescMethod): DynamicMethod['options'] {
  // Extensions are unknown fields to whoever has not generated them; the last one counts.
  const found = options?.$unknown?.findLast(({ no }) => no === DEADLINE);
  if (!found) return {};
  const { seconds, nanos } = fromBinary(DurationSchema, new BinaryReader(found.data).bytes());
  return { deadlineMs: Number(seconds) * 1000 + nanos / 1e6 };
}

function dynamicMethod(method: DescMethod): DynamicMethod {
  const { input, output, methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    // nice-grpc hands over partial messages; ours are whole, and an empty one stands for none.
    requestSerialize: (value) => toBinary(input, value.$typeName === undefined ? create(input) : value),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (value) => toBinary(output, value),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
    options: { ...idempotency(method), ...deadline(method) },
  };
}

/** The definition of a service; its methods are named as in the client: `getAccount`. */
export function dynamicDefinition(service: DescService): DynamicDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, dynamicMethod(method)]));
}
