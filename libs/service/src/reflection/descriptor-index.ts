import { toBinary, type DescExtension, type DescFile, type DescMessage, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** What the descriptors of the served contracts hold. */
export interface DescriptorIndex {
  /** The file, and all that it imports: each as a `FileDescriptorProto`, the file itself first. */
  fileByName(name: string): readonly Uint8Array[] | undefined;
  /** The file that declares a service, method, message, field, oneof, enum, enum value or extension. */
  fileContaining(symbol: string): readonly Uint8Array[] | undefined;
  fileOfExtension(typeName: string, number: number): readonly Uint8Array[] | undefined;
  /** Undefined if there is no such message. */
  extensionNumbers(typeName: string): readonly number[] | undefined;
}

const encoded = new WeakMap<DescFile, Uint8Array>();

function encode(file: DescFile): Uint8Array {
  const bytes = encoded.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
  encoded.set(file, bytes);
  return bytes;
}

/** A file and all that it imports, so that a client needs to ask once. */
function withImports(file: DescFile): readonly Uint8Array[] {
  const files = new Map<string, DescFile>();
  const visit = (at: DescFile): void => {
    if (files.has(at.name)) return;
    files.set(at.name, at);
    at.dependencies.forEach(visit);
  };
  visit(file);
  return [...files.values()].map(encode);
}

/** What a message declares besides itself, by full name. Nested types have names of their own in the registry. */
function declaredIn(message: DescMessage): string[] {
  const names = [...message.fields, ...message.oneofs].map(({ name }) => name);
  return names.map((name) => `${message.typeName}.${name}`);
}

function symbolsOf(registry: FileRegistry): Map<string, DescFile> {
  const symbols = new Map<string, DescFile>();
  for (const desc of registry) {
    symbols.set(desc.typeName, desc.file);
    if (desc.kind === 'service') for (const method of desc.methods) symbols.set(`${desc.typeName}.${method.name}`, desc.file);
    if (desc.kind === 'message') for (const name of declaredIn(desc)) symbols.set(name, desc.file);
    // Values of an enum live in the scope around it. Source: https://protobuf.dev/programming-guides/proto3/#enum
    if (desc.kind === 'enum') {
      const scope = desc.typeName.includes('.') ? desc.typeName.slice(0, desc.typeName.lastIndexOf('.') + 1) : '';
      for (const value of desc.values) {
        symbols.set(`${scope}${value.name}`, desc.file);
        symbols.set(`${desc.typeName}.${value.name}`, desc.file);
      }
    }
  }
  return symbols;
}

/** Makes an index of the descriptors of several contracts; where two know the same name, the first counts. */
export function descriptorIndex(registries: readonly FileRegistry[]): DescriptorIndex {
  const symbols = new Map<string, DescFile>();
  const files = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescExtension>>();
  const messages = new Set<string>();
  for (const registry of registries) {
    for (const file of registry.files) if (!files.has(file.proto.name)) files.set(file.proto.name, file);
    for (const [name, file] of symbolsOf(registry)) if (!symbols.has(name)) symbols.set(name, file);
    for (const desc of registry) {
      if (desc.kind === 'message') messages.add(desc.typeName);
      if (desc.kind !== 'extension') continue;
      const known = extensions.get(desc.extendee.typeName) ?? new Map<number, DescExtension>();
      extensions.set(desc.extendee.typeName, known.set(desc.number, desc));
    }
  }
  const found = (file: DescFile | undefined): readonly Uint8Array[] | undefined => (file ? withImports(file) : undefined);
  return {
    fileByName: (name) => found(files.get(name)),
    fileContaining: (symbol) => found(symbols.get(symbol.replace(/^\./, ''))),
    fileOfExtension: (typeName, number) => found(extensions.get(typeName)?.get(number)?.file),
    extensionNumbers: (typeName) => (messages.has(typeName) ? [...(extensions.get(typeName)?.keys() ?? [])].sort((a, b) => a - b) : undefined),
  };
}
