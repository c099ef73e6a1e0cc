import { create, fromBinary, toBinary, type DescMethod, type DescService, type Message } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';

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
    /** What else the contract says of it (`talaria.options.v1`), by tag, undecoded. */
    readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[]>>;
  };
}

/** A nice-grpc service definition made from descriptors. */
export type DynamicDefinition = Readonly<Record<string, DynamicMethod>>;

function idempotency(method: DescMethod): DynamicMethod['options'] {
  if (method.idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT) return { idempotencyLevel: 'IDEMPOTENT' };
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? { idempotencyLevel: 'NO_SIDE_EFFECTS' } : {};
}

/** The platform's own options (`talaria.options.v1`), whose numbers never change: services are described by descriptors of their own. */
const isOurs = (no: number): boolean => no >= 52_000 && no < 53_000;

/** They are unknown fields to whoever has not generated them; kept as ts-proto keeps them, for `rpc` and policies to read. */
export function extensions({ proto: { options } }: DescMethod): DynamicMethod['options'] {
  const found = options?.$unknown?.filter(({ no }) => isOurs(no)) ?? [];
  if (found.length === 0) return {};
  const byTag = Map.groupBy(found, ({ no, wireType }) => (no << 3) | wireType);
  return { _unknownFields: Object.fromEntries([...byTag].map(([tag, fields]) => [tag, fields.map(({ data }) => data)])) };
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
    options: { ...idempotency(method), ...extensions(method) },
  };
}

/** The definition of a service; its methods are named as in the client: `getAccount`. */
export function dynamicDefinition(service: DescService): DynamicDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, dynamicMethod(method)]));
}
