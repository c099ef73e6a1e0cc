import { create, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { posix } from 'node:path';

/** A proto file and all that it imports, dependencies first. */
function closure(file: string, files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const found = new Map<string, FileDescriptorProto>();
  const visit = (name: string): void => {
    const proto = files.get(name);
    if (!proto || found.has(name)) return;
    proto.dependency.forEach(visit);
    found.set(name, proto);
  };
  visit(file);
  return [...found.values()];
}

/** Where the module of a proto file is, below the generated folder: `account/v1/account.ts`. */
export function modulePath(proto: string): string {
  return proto.replace(/\.proto$/, '.ts');
}

/** The module of one proto file: re-exports what ts-proto made of it below `messages/`, and gives each service its descriptor. */
export function contractModule(proto: FileDescriptorProto, files: ReadonlyMap<string, FileDescriptorProto>): string {
  const path = modulePath(proto.name);
  const messages = posix.relative(posix.dirname(path), posix.join('messages', path));
  const from = messages.startsWith('.') ? messages : `./${messages}`;
  const lines = [`export * from '${from}';`];
  if (proto.service.length > 0) {
    const set = create(FileDescriptorSetSchema, { file: closure(proto.name, files) });
    const base64 = Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString('base64');
    lines.push(`import * as messages from '${from}';`, '');
    lines.push(`const descriptor = { file: '${proto.name}', set: '${base64}' } as const;`, '');
    for (const service of proto.service) {
      const name = `${service.name}Definition`;
      lines.push(`/** The contract ${proto.package}.${service.name}. */`);
      lines.push(`export const ${name} = { ...messages.${name}, descriptor } as const;`);
      lines.push(`export type ${name} = typeof ${name};`);
    }
  }
  return `${lines.join('\n')}\n`;
}
