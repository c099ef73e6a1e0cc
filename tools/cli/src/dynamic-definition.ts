import { fromBinary, toBinary, type DescMethod, type Message } from '@bufbuild/protobuf';
import type { MethodDefinition } from '@talaria/rpc';

/** The name of the one method in a dynamic definition. */
export const CALLED = 'called';

/** A definition of one method, made from its descriptor. */
export function dynamicDefinition(method: DescMethod): { readonly [CALLED]: MethodDefinition<Message, Message, Message, Message> } {
  const { input, output, methodKind } = method;
  return {
    [CALLED]: {
      path: `/${method.parent.typeName}/${method.name}`,
      requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
      responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
      requestSerialize: (message) => toBinary(input, message),
      requestDeserialize: (bytes) => fromBinary(input, bytes),
      responseSerialize: (message) => toBinary(output, message),
      responseDeserialize: (bytes) => fromBinary(output, bytes),
      options: {},
    },
  };
}
