import { create } from '@bufbuild/protobuf';
import { SourceCodeInfoSchema, type FileDescriptorProto, type SourceCodeInfo_Location } from '@bufbuild/protobuf/wkt';

/** Other people's files: their comments explain options and well-known types, which readers know, and are longer than our contracts. */
const VENDORED = /^(google|buf|grpc)\//;

const hasComment = ({ leadingComments, trailingComments, leadingDetachedComments }: SourceCodeInfo_Location): boolean =>
  leadingComments !== '' || trailingComments !== '' || leadingDetachedComments.length > 0;

/**
 * Reduces the source code info of a file to its comments, with where each stands: what reflection, OpenAPI and other readers of
 * published descriptors show. Files of others lose it all. Changes `file`.
 */
export function keepComments(file: FileDescriptorProto): void {
  const location = VENDORED.test(file.name) ? [] : (file.sourceCodeInfo?.location ?? []).filter(hasComment);
  if (location.length > 0) file.sourceCodeInfo = create(SourceCodeInfoSchema, { location });
  else delete file.sourceCodeInfo;
}
