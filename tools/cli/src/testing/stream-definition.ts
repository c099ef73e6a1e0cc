import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Account, AccountServiceDefinition, GetAccountRequest } from '@talaria/contracts/account/v1/account';

/** The comment of `StreamService` and of its first method, as a published descriptor carries them. */
const COMMENTS = [
  { path: [6, 0], leadingComments: ' Streams of every kind.\n' },
  { path: [6, 0, 2, 0], leadingComments: ' Two accounts.\n' },
];

/** A contract with streams of every kind, which no contract in proto/ has: its messages are those of accounts. */
export function streamDefinition() {
  const set = fromBinary(FileDescriptorSetSchema, Buffer.from(AccountServiceDefinition.descriptor.set, 'base64'));
  const kinds = [
    { name: 'ListAll', serverStreaming: true },
    { name: 'Watch', serverStreaming: true },
    { name: 'Count', clientStreaming: true },
    { name: 'Chat', clientStreaming: true, serverStreaming: true },
  ];
  const method = kinds.map((kind) => ({ ...kind, inputType: '.account.v1.GetAccountRequest', outputType: '.account.v1.Account' }));
  const file = 'streams/v1/streams.proto';
  const service = [{ name: 'StreamService', method }];
  const sourceCodeInfo = { location: COMMENTS };
  set.file.push(create(FileDescriptorProtoSchema, { name: file, package: 'streams.v1', syntax: 'proto3', dependency: ['account/v1/account.proto'], service, sourceCodeInfo }));
  const types = { requestType: GetAccountRequest, responseType: Account, options: {} } as const;
  return {
    name: 'StreamService',
    fullName: 'streams.v1.StreamService',
    methods: {
      listAll: { ...types, name: 'ListAll', requestStream: false, responseStream: true },
      watch: { ...types, name: 'Watch', requestStream: false, responseStream: true },
      count: { ...types, name: 'Count', requestStream: true, responseStream: false },
      chat: { ...types, name: 'Chat', requestStream: true, responseStream: true },
    },
    descriptor: { file, set: Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString('base64') },
  } as const;
}
