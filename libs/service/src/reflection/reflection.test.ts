import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { HealthDefinition } from '@talaria/contracts/health/v1/health';
import type { ServerReflectionRequest, ServerReflectionResponse } from '@talaria/contracts/grpc/reflection/v1/reflection';
import { balancedPicker } from '@talaria/resilience';
import { createConnector, grpcTransport, Status, staticResolver, type Connector } from '@talaria/rpc';
import { createPlatform, type TestPlatform } from '@talaria/testing';
import type { Service } from '../types.ts';
import { reflectionDefinitions } from './reflection.ts';

type Asked = NonNullable<ServerReflectionRequest['messageRequest']>;
type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

const handlers = { createAccount: async () => ({}), getAccount: async () => ({}), listAccounts: async () => ({}) };

describe('reflection and health, for clients without tokens', () => {
  let platform: TestPlatform;
  let service: Service;
  let connector: Connector;

  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    service = platform.service({ name: 'service.account' });
    service.add(AccountServiceDefinition, handlers);
    await service.start();
    const at = [service.address ?? ''];
    const addresses = Object.fromEntries([HealthDefinition, ...reflectionDefinitions].map(({ fullName }) => [fullName, at]));
    connector = createConnector({ resolver: staticResolver(addresses), transports: [grpcTransport()], picker: () => balancedPicker() });
  });
  after(async () => {
    await connector.close();
    await platform.stop();
  });

  async function ask(version: 0 | 1, ...asked: Asked[]): Promise<Answer[]> {
    const client = connector.client(reflectionDefinitions[version] as (typeof reflectionDefinitions)[0]);
    const requests = async function* () {
      for (const messageRequest of asked) yield { host: 'here', messageRequest };
    };
    const answers: Answer[] = [];
    for await (const { validHost, originalRequest, messageResponse } of client.serverReflectionInfo(requests())) {
      assert.equal(validHost, 'here');
      assert.deepEqual(originalRequest?.messageRequest, asked[answers.length]);
      assert.ok(messageResponse);
      answers.push(messageResponse);
    }
    return answers;
  }
  const filesOf = (answer: Answer | undefined): string[] => {
    assert.equal(answer?.$case, 'fileDescriptorResponse');
    return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
  };

  for (const version of [0, 1] as const) {
    const name = reflectionDefinitions[version].fullName;

    test(`${name} lists what is served now`, async () => {
      const [answer] = await ask(version, { $case: 'listServices', value: '' });
      assert.equal(answer?.$case, 'listServicesResponse');
      assert.deepEqual(answer.value.service, [
        { name: 'account.v1.AccountService' },
        { name: 'grpc.health.v1.Health' },
        { name: 'grpc.reflection.v1.ServerReflection' },
        { name: 'grpc.reflection.v1alpha.ServerReflection' },
        { name: 'talaria.topology.v1.TopologyService' },
      ]);
    });

    test(`${name} finds the file of every kind of symbol, with its imports`, async () => {
      const symbols = ['account.v1.AccountService', 'account.v1.AccountService.GetAccount', 'account.v1.Account', 'account.v1.Account.id', 'google.protobuf.Timestamp', 'google.protobuf.FieldDescriptorProto.Type', 'google.protobuf.FieldDescriptorProto.TYPE_STRING', 'buf.validate.field', 'talaria.options.v1.access'];
      const answers = await ask(version, ...symbols.map((value): Asked => ({ $case: 'fileContainingSymbol', value })));
      const files = answers.map((answer) => filesOf(answer));
      assert.deepEqual(files.map(([first]) => first), [
        ...Array<string>(4).fill('account/v1/account.proto'),
        'google/protobuf/timestamp.proto',
        ...Array<string>(2).fill('google/protobuf/descriptor.proto'),
        'buf/validate/validate.proto',
        'talaria/options/v1/options.proto',
      ]);
      assert.ok(files[0]?.includes('google/protobuf/timestamp.proto'));
      assert.equal(new Set(files[0]).size, files[0]?.length);
    });

    test(`${name} finds files and extensions, and says NOT_FOUND in the answer for what there is not`, async () => {
      const [file, extension, numbers, ...missing] = await ask(
        version,
        { $case: 'fileByFilename', value: 'account/v1/account.proto' },
        { $case: 'fileContainingExtension', value: { containingType: 'google.protobuf.MethodOptions', extensionNumber: 52001 } },
        { $case: 'allExtensionNumbersOfType', value: 'google.protobuf.MethodOptions' },
        { $case: 'fileByFilename', value: 'no/such.proto' },
        { $case: 'fileContainingSymbol', value: 'no.such.Symbol' },
        { $case: 'fileContainingExtension', value: { containingType: 'google.protobuf.MethodOptions', extensionNumber: 1 } },
        { $case: 'allExtensionNumbersOfType', value: 'no.such.Message' },
      );
      assert.equal(filesOf(file)[0], 'account/v1/account.proto');
      assert.equal(filesOf(extension)[0], 'talaria/options/v1/options.proto');
      assert.equal(numbers?.$case, 'allExtensionNumbersResponse');
      assert.deepEqual(numbers.value.extensionNumber, [52001, 52002, 52003, 52004, 52005, 72295728]);
      assert.equal(missing.length, 4);
      for (const answer of missing) {
        assert.equal(answer.$case, 'errorResponse');
        assert.equal(answer.value.errorCode, Status.NOT_FOUND);
      }
    });
  }

  test('health knows the instance and each contract', async () => {
    const health = connector.client(HealthDefinition);
    assert.equal((await health.check({ service: '' })).status, 1);
    assert.equal((await health.check({ service: 'account.v1.AccountService' })).status, 1);
    await assert.rejects(health.check({ service: 'no.such.Contract' }), /not served here/);
    const { statuses } = await health.list({});
    assert.deepEqual(Object.keys(statuses).sort(), ['', 'account.v1.AccountService']);
  });
});
