import { createFileRegistry, fromBinary, type DescMethod, type DescService, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { CliError } from './cli-error.ts';
import { didYouMean } from './nearest.ts';

/** A published contract, as much as is needed here. */
export interface Published {
  readonly contract: string;
  /** Who owns it. */
  readonly service: string;
  /** A `google.protobuf.FileDescriptorSet`. */
  readonly descriptorSet: Uint8Array;
}

/** A contract that was asked for. */
export interface FoundContract {
  readonly contract: DescService;
  /** Who owns it. */
  readonly service: string;
  /** For what the messages hold in `google.protobuf.Any`. */
  readonly registry: FileRegistry;
}

/** A method that was asked for. */
export interface FoundMethod extends FoundContract {
  readonly method: DescMethod;
}

/** A method, by name. */
export interface MethodName {
  readonly contract: string;
  readonly name: string;
}

/** Reads `account.v1.AccountService/GetAccount`. */
export function methodName(target: string): MethodName {
  const [contract = '', name = '', ...rest] = target.replace(/^\//, '').split('/');
  if (name === '' || contract === '' || rest.length > 0) {
    const list = contract === '' ? 'talaria describe' : `talaria describe ${contract}`;
    throw new CliError(`"${target}" names no method: write <contract>/<Method>, such as account.v1.AccountService/GetAccount ("${list}" lists what there is).`, 2);
  }
  return { contract, name };
}

/** Finds a contract among what is published. Its errors say what there is, and what may be meant. */
export function findContract(contract: string, published: readonly Published[]): FoundContract {
  const found = published.find((each) => each.contract === contract);
  if (!found) {
    const known = published.map((each) => each.contract).sort();
    if (known.length === 0) throw new CliError(`No contract is published yet: wait until the services are up ("talaria services").`);
    throw new CliError(`There is no contract "${contract}".${didYouMean(contract, known)} Published: ${known.join(', ')}.`);
  }
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, found.descriptorSet));
  const described = registry.getService(contract);
  if (!described) throw new CliError(`The descriptor that ${found.service} published lacks "${contract}": generate its contracts anew and start it again.`);
  return { contract: described, service: found.service, registry };
}

/** Finds a method among what is published. Its errors say what there is, and what may be meant. */
export function findMethod({ contract, name }: MethodName, published: readonly Published[]): FoundMethod {
  const found = findContract(contract, published);
  const { methods } = found.contract;
  const method = methods.find((each) => each.name === name) ?? methods.find((each) => each.name.toLowerCase() === name.toLowerCase());
  const known = methods.map((each) => each.name);
  if (!method) throw new CliError(`"${contract}" has no method "${name}".${didYouMean(name, known)} It has: ${known.join(', ')}.`);
  return { ...found, method };
}
