import { createFileRegistry, fromBinary, type DescMethod, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { CliError } from './cli-error.ts';

/** A published contract, as much as is needed here. */
export interface Published {
  readonly contract: string;
  /** A `google.protobuf.FileDescriptorSet`. */
  readonly descriptorSet: Uint8Array;
}

/** A method that was asked for. */
export interface FoundMethod {
  readonly method: DescMethod;
  /** For what the messages hold in `google.protobuf.Any`. */
  readonly registry: FileRegistry;
}

/** A method, by name. */
export interface MethodName {
  readonly contract: string;
  readonly name: string;
}

/** Reads `account.v1.AccountService/GetAccount`. */
export function methodName(target: string): MethodName {
  const [contract = '', name = '', ...rest] = target.replace(/^\//, '').split('/');
  if (name === '' || rest.length > 0) throw new CliError(`"${target}" names no method: write <contract>/<Method>, such as account.v1.AccountService/GetAccount.`, 2);
  return { contract, name };
}

/** Finds a method among what is published. Its errors say what there is. */
export function findMethod({ contract, name }: MethodName, published: readonly Published[]): FoundMethod {
  const found = published.find((each) => each.contract === contract);
  if (!found) {
    const known = published.map((each) => each.contract).sort();
    throw new CliError(known.length === 0 ? `No contract is published yet: wait until the services are up ("talaria services").` : `There is no contract "${contract}". Published: ${known.join(', ')}.`);
  }
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, found.descriptorSet));
  const methods = registry.getService(contract)?.methods ?? [];
  const method = methods.find((each) => each.name === name) ?? methods.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (!method) throw new CliError(`"${contract}" has no method "${name}". It has: ${methods.map((each) => each.name).join(', ')}.`);
  return { method, registry };
}
