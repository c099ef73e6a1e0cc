import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { ServerReflectionDefinition as ReflectionV1 } from '@talaria/contracts/grpc/reflection/v1/reflection';
import { ServerReflectionDefinition as ReflectionV1Alpha } from '@talaria/contracts/grpc/reflection/v1alpha/reflection';
import { hasCode } from '@talaria/errors';
import type { Connector } from '@talaria/rpc';
import { CliError } from '../cli-error.ts';
import { findMethod, type FoundMethod, type MethodName } from '../contract-methods.ts';
import { definedTypes, mentionedTypes } from './file-types.ts';

type Question = { readonly $case: 'fileContainingSymbol' | 'fileByFilename' | 'listServices'; readonly value: string };
type Ask = (question: Question) => Promise<{ readonly files: readonly FileDescriptorProto[]; readonly contracts: readonly string[]; readonly missing?: string }>;

async function* one<T>(request: T): AsyncGenerator<T, void, undefined> {
  yield await Promise.resolve(request);
}

function asking(connector: Connector, definition: typeof ReflectionV1 | typeof ReflectionV1Alpha, signal: AbortSignal): Ask {
  const client = connector.client(definition as typeof ReflectionV1);
  return async (question) => {
    for await (const { messageResponse: answer } of client.serverReflectionInfo(one({ host: '', messageRequest: question }), { signal })) {
      if (answer?.$case === 'fileDescriptorResponse') return { files: answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)), contracts: [] };
      if (answer?.$case === 'listServicesResponse') return { files: [], contracts: answer.value.service.map(({ name }) => name) };
      return { files: [], contracts: [], missing: answer?.$case === 'errorResponse' ? answer.value.errorMessage : 'it answered something else' };
    }
    return { files: [], contracts: [], missing: 'it answered nothing' };
  };
}

/**
 * All files that `first` stand on, before what stands on them. Some servers (@grpc/reflection of Node) leave out which files a file
 * imports, so that the types that it mentions count too.
 */
async function withDependencies(first: readonly FileDescriptorProto[], ask: Ask): Promise<readonly FileDescriptorProto[]> {
  const known = new Map<string, FileDescriptorProto>();
  const definedIn = new Map<string, FileDescriptorProto>();
  const learn = (files: readonly FileDescriptorProto[]): void => {
    for (const file of files) {
      if (known.has(file.name)) continue;
      known.set(file.name, file);
      for (const type of definedTypes(file)) definedIn.set(type, file);
    }
  };
  const ordered = new Set<FileDescriptorProto>();
  const begun = new Set<FileDescriptorProto>();
  const visit = async (file: FileDescriptorProto): Promise<void> => {
    if (begun.has(file)) return;
    begun.add(file);
    for (const name of file.dependency) {
      if (!known.has(name)) learn((await ask({ $case: 'fileByFilename', value: name })).files);
      const found = known.get(name);
      if (!found) throw new CliError(`The server does not tell what is in ${name}, on which ${file.name} stands: its reflection has to cover it.`);
      await visit(found);
    }
    for (const type of mentionedTypes(file)) {
      if (!definedIn.has(type)) learn((await ask({ $case: 'fileContainingSymbol', value: type })).files);
      const found = definedIn.get(type);
      if (!found) throw new CliError(`The server does not tell what ${type} is, which ${file.name} mentions: its reflection has to cover it.`);
      await visit(found);
    }
    ordered.add(file);
  };
  learn(first);
  for (const file of first) await visit(file);
  return [...ordered];
}

/** Asks the server itself for a method, by gRPC's reflection. Throws a `CliError` that says what there is. */
export async function reflectMethod(wanted: MethodName, address: string, connector: Connector, signal: AbortSignal): Promise<FoundMethod> {
  let ask = asking(connector, ReflectionV1, signal);
  const question: Question = { $case: 'fileContainingSymbol', value: wanted.contract };
  const answer = await ask(question).catch((error: unknown) => {
    if (!hasCode(error, 'unimplemented')) throw error;
    ask = asking(connector, ReflectionV1Alpha, signal);
    return ask(question);
  }).catch((error: unknown) => {
    if (!hasCode(error, 'unimplemented')) throw error;
    throw new CliError(`The server at ${address} has no reflection: add gRPC's reflection to it, or reach its contract through the platform, without --address.`);
  });
  if (answer.missing !== undefined) {
    const { contracts } = await ask({ $case: 'listServices', value: '' });
    throw new CliError(`The server at ${address} has no contract "${wanted.contract}" (${answer.missing}). It has: ${contracts.join(', ') || 'none'}.`);
  }
  const file = await withDependencies(answer.files, ask);
  return findMethod(wanted, [{ contract: wanted.contract, service: address, descriptorSet: toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...file] })) }]);
}
