import { createFileRegistry, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { contractDescriptor, type ContractDescriptor } from '@talaria/contracts';

const registries = new WeakMap<ContractDescriptor, FileRegistry>();

/** What a contract's descriptor says, for protobuf-es: its file and all that it imports. Decoded at the first use. */
export function descriptorRegistry(descriptor: ContractDescriptor): FileRegistry {
  let registry = registries.get(descriptor);
  if (!registry) {
    registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(descriptor.set, 'base64')));
    registries.set(descriptor, registry);
  }
  return registry;
}

/** As {@link descriptorRegistry}, for a definition; undefined for one that carries no descriptor. */
export function registryOf(definition: object): FileRegistry | undefined {
  const descriptor = contractDescriptor(definition);
  return descriptor && descriptorRegistry(descriptor);
}
