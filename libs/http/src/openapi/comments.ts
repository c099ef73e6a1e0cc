import { type DescEnum, type DescField, type DescFile, type DescMessage, type DescMethod, type DescOneof, type DescService } from '@bufbuild/protobuf';
import { type SourceCodeInfo_Location } from '@bufbuild/protobuf/wkt';

/** What can have a comment. */
export type Commented = DescMessage | DescEnum | DescEnum['values'][number] | DescField | DescOneof | DescMethod | DescService;

/** Field numbers in descriptor.proto, of which a source path is made: https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto */
const IN_FILE = { message: 4, enum: 5, service: 6 };
const IN_MESSAGE = { field: 2, message: 3, enum: 4, oneof: 8 };
const IN_SERVICE = { method: 2 };
const IN_ENUM = { value: 2 };

function pathOf(desc: Commented): readonly number[] {
  switch (desc.kind) {
    case 'message':
      return desc.parent ? [...pathOf(desc.parent), IN_MESSAGE.message, desc.parent.proto.nestedType.indexOf(desc.proto)] : [IN_FILE.message, desc.file.proto.messageType.indexOf(desc.proto)];
    case 'enum':
      return desc.parent ? [...pathOf(desc.parent), IN_MESSAGE.enum, desc.parent.proto.enumType.indexOf(desc.proto)] : [IN_FILE.enum, desc.file.proto.enumType.indexOf(desc.proto)];
    case 'enum_value':
      return [...pathOf(desc.parent), IN_ENUM.value, desc.parent.proto.value.indexOf(desc.proto)];
    case 'service':
      return [IN_FILE.service, desc.file.proto.service.indexOf(desc.proto)];
    case 'rpc':
      return [...pathOf(desc.parent), IN_SERVICE.method, desc.parent.proto.method.indexOf(desc.proto)];
    case 'field':
      return [...pathOf(desc.parent), IN_MESSAGE.field, desc.parent.proto.field.indexOf(desc.proto)];
    case 'oneof':
      return [...pathOf(desc.parent), IN_MESSAGE.oneof, desc.parent.proto.oneofDecl.indexOf(desc.proto)];
  }
}

function fileOf(desc: Commented): DescFile {
  if (desc.kind === 'field' || desc.kind === 'oneof' || desc.kind === 'enum_value' || desc.kind === 'rpc') return desc.parent.file;
  return desc.file;
}

const byPath = new WeakMap<DescFile, ReadonlyMap<string, SourceCodeInfo_Location>>();

function locationsOf(file: DescFile): ReadonlyMap<string, SourceCodeInfo_Location> {
  const known = byPath.get(file) ?? new Map(file.proto.sourceCodeInfo?.location.map((location) => [location.path.join('.'), location]));
  byPath.set(file, known);
  return known;
}

/** What is for other readers: notes in `(-- … --)` (https://google.aip.dev/192) and orders to buf's linter. */
function forReaders(comment: string): string {
  const lines = comment.replaceAll(/\(--[\s\S]*?--\)/g, '').split('\n');
  return lines
    .filter((line) => !/^\s*buf:lint:/.test(line))
    .map((line) => line.replace(/^ /, '').trimEnd())
    .join('\n')
    .trim();
}

/** The doc comment of an element, as CommonMark; empty when there is none, or when the descriptors came without comments. */
export function commentOf(desc: Commented): string {
  const location = locationsOf(fileOf(desc)).get(pathOf(desc).join('.'));
  if (!location) return '';
  return [location.leadingComments, location.trailingComments].map(forReaders).filter((text) => text !== '').join('\n\n');
}

/** The first sentence, on one line, without its full stop. */
export function firstSentence(text: string): string {
  const paragraph = (text.split(/\n\s*\n/, 1)[0] ?? '').replaceAll(/\s+/g, ' ').trim();
  const end = /[.;](?= [A-Z]|$)/.exec(paragraph);
  return end ? paragraph.slice(0, end.index) : paragraph;
}
