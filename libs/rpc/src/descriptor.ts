import { createHash } from 'node:crypto';
import { createFileRegistry, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { contractDescriptor, type ContractDescriptor } from '@talaria/contracts';

const registries = new WeakMap<ContractDescriptor, FileRegistry>();
/** One file, and those that it was read with. */
interface KnownFile {
  readonly name: string;
  readonly registry: FileRegistry;
  readonly imports: readonly (readonly [name: string, from: FileRegistry | undefined])[];
}

/** Each file once, by what is in it: all contracts import the same options, and describe them again. */
const files = new Map<string, KnownFile>();

/** The files of a `google.protobuf.FileDescriptorSet` (its field 1), as they are. */
function* filesOf(set: Uint8Array): Generator<Uint8Array, void, undefined> {
  const reader = new BinaryReader(set);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.LengthDelimited) yield reader.bytes();
    else reader.skip(type, field);
  }
}

function readSet(set: Uint8Array): FileRegistry {
  const found = new Map<string, FileRegistry>();
  for (const bytes of filesOf(set)) {
    const key = createHash('sha256').update(bytes).digest('base64');
    let file = files.get(key);
    if (!file?.imports.every(([name, from]) => found.get(name) === from)) {
      const proto = fromBinary(FileDescriptorProtoSchema, bytes);
      const registry = createFileRegistry(proto, (name) => found.get(name)?.getFile(name));
      file = { name: proto.name, registry, imports: proto.dependency.map((name) => [name, found.get(name)] as const) };
      files.set(key, file);
    }
    found.set(file.name, file.registry);
  }
  return createFileRegistry(...found.values());
}

/** What a contract's descriptor says, for protobuf-es: its file and all that it imports. Decoded at the first use. */
export function descriptorRegistry(descriptor: ContractDescriptor): FileRegistry {
  let registry = registries.get(descriptor);
  if (!registry) {
    registry = readSet(Buffer.from(descriptor.set, 'base64'));
    registries.set(descriptor, registry);
  }
  return registry;
}

/** As {@link descriptorRegistry}, for a definition; undefined for one that carries no descriptor. */
export function registryOf(definition: object): FileRegistry | undefined {
  const descriptor = contractDescriptor(definition);
  return descriptor && descriptorRegistry(descriptor);
}
