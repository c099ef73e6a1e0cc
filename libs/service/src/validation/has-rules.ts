import { type getExtension, hasExtension, type DescExtension, type DescField, type DescMessage, type FileRegistry } from '@bufbuild/protobuf';

/** The extensions of `buf/validate/validate.proto` that carry rules. */
const EXTENSIONS = ['buf.validate.message', 'buf.validate.oneof', 'buf.validate.field'] as const;

function messagesOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === 'message' || field.fieldKind === 'list' || field.fieldKind === 'map' ? field.message : undefined;
}

/** Whether a message, or any that it can hold, has validation rules. */
export function hasRules(message: DescMessage, registry: FileRegistry): boolean {
  const [onMessage, onOneof, onField] = EXTENSIONS.map((name) => registry.getExtension(name));
  const carries = (extension: DescExtension | undefined, options: Parameters<typeof getExtension>[0] | undefined): boolean =>
    extension !== undefined && options !== undefined && hasExtension(options, extension);
  const seen = new Set<DescMessage>();
  const visit = (at: DescMessage): boolean => {
    if (seen.has(at)) return false;
    seen.add(at);
    return (
      carries(onMessage, at.proto.options) ||
      at.oneofs.some((oneof) => carries(onOneof, oneof.proto.options)) ||
      at.fields.some((field) => {
        const inner = messagesOf(field);
        return carries(onField, field.proto.options) || (inner !== undefined && visit(inner));
      })
    );
  };
  return visit(message);
}
