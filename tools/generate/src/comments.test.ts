import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, SourceCodeInfoSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { keepComments } from './comments.ts';

const file = (name: string): FileDescriptorProto =>
  create(FileDescriptorProtoSchema, {
    name,
    sourceCodeInfo: create(SourceCodeInfoSchema, {
      location: [
        { path: [], span: [0, 0, 40, 1] },
        { path: [6, 0], span: [3, 0, 9, 1], leadingComments: ' Keeps accounts.\n' },
        { path: [6, 0, 2, 0], span: [4, 2, 30] },
        { path: [4, 0, 2, 0], span: [12, 2, 30], trailingComments: ' Its id.\n' },
        { path: [4, 1], span: [14, 0, 15], leadingDetachedComments: [' A part of its own.\n'] },
      ],
    }),
  });

describe('keepComments', () => {
  it('keeps locations that have comments, as they were, and drops the others', () => {
    const kept = file('account/v1/account.proto');
    keepComments(kept);
    const read = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, kept));
    assert.deepEqual(
      read.sourceCodeInfo?.location.map(({ path, span }) => [path, span]),
      [[[6, 0], [3, 0, 9, 1]], [[4, 0, 2, 0], [12, 2, 30]], [[4, 1], [14, 0, 15]]],
    );
    assert.deepEqual(read.sourceCodeInfo?.location.map((one) => [one.leadingComments, one.trailingComments, one.leadingDetachedComments]), [
      [' Keeps accounts.\n', '', []],
      ['', ' Its id.\n', []],
      ['', '', [' A part of its own.\n']],
    ]);
  });

  it('leaves nothing of the files of others', () => {
    for (const name of ['google/api/http.proto', 'buf/validate/validate.proto', 'grpc/reflection/v1/reflection.proto']) {
      const vendored = file(name);
      keepComments(vendored);
      assert.equal(vendored.sourceCodeInfo, undefined);
    }
  });
});
