import {
  ServerReflectionDefinition as ReflectionV1,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  type ServerReflectionServiceImplementation,
} from '@talaria/contracts/grpc/reflection/v1/reflection';
import { ServerReflectionDefinition as ReflectionV1Alpha } from '@talaria/contracts/grpc/reflection/v1alpha/reflection';
import { contractName, registryOf, Status, type CompatServiceDefinition } from '@talaria/rpc';
import type { FileRegistry } from '@bufbuild/protobuf';
import { descriptorIndex, type DescriptorIndex } from './descriptor-index.ts';

/** Both versions of the contract; but for their packages they are the same, and so one handler serves both. */
export const reflectionDefinitions = [ReflectionV1, ReflectionV1Alpha] as const;

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

function failure(errorCode: Status, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}

function files(found: readonly Uint8Array[] | undefined, what: string): Answer {
  if (!found) return failure(Status.NOT_FOUND, `There is no ${what} here.`);
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: found.map((bytes) => Buffer.from(bytes)) } };
}

function answer({ messageRequest: asked }: ServerReflectionRequest, index: DescriptorIndex, contracts: readonly string[]): Answer {
  switch (asked?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: contracts.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(index.fileByName(asked.value), `file "${asked.value}"`);
    case 'fileContainingSymbol':
      return files(index.fileContaining(asked.value), `symbol "${asked.value}"`);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = asked.value;
      return files(index.fileOfExtension(containingType, extensionNumber), `extension ${extensionNumber} of "${containingType}"`);
    }
    case 'allExtensionNumbersOfType': {
      const extensionNumber = index.extensionNumbers(asked.value);
      if (!extensionNumber) return failure(Status.NOT_FOUND, `There is no message "${asked.value}" here.`);
      return { $case: 'allExtensionNumbersResponse', value: { baseTypeName: asked.value, extensionNumber: [...extensionNumber] } };
    }
    default:
      return failure(Status.INVALID_ARGUMENT, 'The request asks for nothing that this server knows.');
  }
}

/** Pulls requests until `signal` aborts: an idle client would otherwise hold up the drain of the server. */
async function* untilAborted<T>(requests: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = requests[Symbol.asyncIterator]();
  let onAbort = (): void => {};
  const aborted = new Promise<{ done: true; value: undefined }>((resolve) => {
    onAbort = () => resolve({ done: true, value: undefined });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), aborted]);
      if (step.done) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Serves gRPC server reflection for the contracts that `served` gives at the time of each request. Source:
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md. Streams end when `stopped` aborts.
 */
export function reflectionHandlers(served: () => readonly CompatServiceDefinition[], stopped: AbortSignal): ServerReflectionServiceImplementation {
  interface Known {
    readonly key: string;
    readonly index: DescriptorIndex;
    readonly contracts: readonly string[];
  }
  let known: Known | undefined;
  const current = (): Known => {
    const definitions = served();
    const contracts = definitions.map(contractName).sort();
    const key = contracts.join(' ');
    if (known?.key !== key) {
      const registries = definitions.map(registryOf).filter((registry): registry is FileRegistry => registry !== undefined);
      known = { key, contracts, index: descriptorIndex(registries) };
    }
    return known;
  };
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of untilAborted(requests, stopped)) {
        const { index, contracts } = current();
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request, index, contracts) };
      }
    },
  };
}
