import type { DescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/** The full names of all messages and enums of a file. */
export function definedTypes(file: FileDescriptorProto): readonly string[] {
  const inMessage = (scope: string, message: DescriptorProto): string[] => {
    const name = `${scope}${message.name}`;
    return [name, ...message.enumType.map((each) => `${name}.${each.name}`), ...message.nestedType.flatMap((each) => inMessage(`${name}.`, each))];
  };
  const scope = file.package === '' ? '' : `${file.package}.`;
  return [...file.enumType.map(({ name }) => `${scope}${name}`), ...file.messageType.flatMap((each) => inMessage(scope, each))];
}

/** The full names of all messages and enums that a file mentions. */
export function mentionedTypes(file: FileDescriptorProto): readonly string[] {
  const inMessage = (message: DescriptorProto): string[] => [...[...message.field, ...message.extension].flatMap(({ typeName, extendee }) => [typeName, extendee]), ...message.nestedType.flatMap(inMessage)];
  const all = [
    ...file.messageType.flatMap(inMessage),
    ...file.extension.flatMap(({ typeName, extendee }) => [typeName, extendee]),
    ...file.service.flatMap(({ method }) => method.flatMap(({ inputType, outputType }) => [inputType, outputType])),
  ];
  return [...new Set(all.filter((name) => name !== '').map((name) => name.replace(/^\./, '')))];
}
