import type { DescEnumValue, DescField, DescMessage, DescMethod, DescService, DescEnum, DescFile } from '@bufbuild/protobuf';

type Commented = DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue;

/** Field numbers of descriptor.proto that lead to a declaration. */
const PATH = { message: 4, enum: 5, service: 6, method: 2, field: 2, value: 2, nestedMessage: 3, nestedEnum: 4 } as const;

function pathOf(desc: Commented): readonly number[] {
  switch (desc.kind) {
    case 'service':
      return [PATH.service, desc.file.services.indexOf(desc)];
    case 'rpc':
      return [...pathOf(desc.parent), PATH.method, desc.parent.methods.indexOf(desc)];
    case 'field':
      return [...pathOf(desc.parent), PATH.field, desc.parent.fields.indexOf(desc)];
    case 'enum_value':
      return [...pathOf(desc.parent), PATH.value, desc.parent.values.indexOf(desc)];
    case 'message':
      return desc.parent ? [...pathOf(desc.parent), PATH.nestedMessage, desc.parent.proto.nestedType.indexOf(desc.proto)] : [PATH.message, desc.file.proto.messageType.indexOf(desc.proto)];
    case 'enum':
      return desc.parent ? [...pathOf(desc.parent), PATH.nestedEnum, desc.parent.proto.enumType.indexOf(desc.proto)] : [PATH.enum, desc.file.proto.enumType.indexOf(desc.proto)];
  }
}

const fileOf = (desc: Commented): DescFile => (desc.kind === 'service' || desc.kind === 'message' || desc.kind === 'enum' ? desc.file : fileOf(desc.parent));

/** The lines of the comment before a declaration; none where the descriptor was published without comments. */
export function commentOf(desc: Commented): readonly string[] {
  const path = pathOf(desc).join('.');
  const location = fileOf(desc).proto.sourceCodeInfo?.location.find((each) => each.path.join('.') === path);
  const text = (location?.leadingComments || location?.trailingComments || '').trim();
  return text === '' ? [] : text.split('\n').map((line) => line.trim());
}
