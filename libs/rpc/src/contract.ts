import type { CompatServiceDefinition, MethodDefinition, ServiceDefinition } from 'nice-grpc';
// Not part of nice-grpc's index, and stripped from its types; it is what its own client and server use.
import * as definitions from 'nice-grpc/lib/service-definitions/index.js';
import type { MethodDescriptor } from 'nice-grpc-common';
import { methodDeadline } from './method-deadline.ts';
import { refuseInvalidUtf8 } from './strict-utf8.ts';

refuseInvalidUtf8();

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the message types are known to the caller only
type AnyMethod = MethodDefinition<any, any, any, any>;

const { normalizeServiceDefinition } = definitions as unknown as { normalizeServiceDefinition(definition: CompatServiceDefinition): ServiceDefinition };

/** One method of a contract. Middleware gets it as `call.method`: the same object for every call. */
export interface ContractMethod extends MethodDescriptor {
  /** `account.v1.AccountService`. */
  readonly contract: string;
  /** `GetAccount`. */
  readonly name: string;
  /** `getAccount`: its key in the definition, in implementations and in clients. */
  readonly key: string;
  /** The longest a call of it may take (`talaria.options.v1.deadline`), in ms; undefined where the contract does not say. */
  readonly deadlineMs: number | undefined;
  /** Its serializers. */
  readonly definition: AnyMethod;
  /** The definition that it was made from, as it was given. */
  readonly source: CompatServiceDefinition;
}

const known = new WeakMap<object, readonly ContractMethod[]>();
const ours = new WeakSet<object>();

function splitPath(path: string): { contract: string; name: string } {
  const slash = path.lastIndexOf('/');
  if (!path.startsWith('/') || slash < 2 || slash === path.length - 1) throw new Error(`The path ${path} of a method is malformed: it has to be /package.Service/Method`);
  return { contract: path.slice(1, slash), name: path.slice(slash + 1) };
}

/** What a definition in nice-grpc's own form says of a method: nice-grpc takes such a one for grpc-js's, which has no options, and drops them. */
function ownOptions(definition: CompatServiceDefinition, key: string): ContractMethod['options'] | undefined {
  if ('fullName' in definition && typeof definition.fullName === 'string') return undefined;
  return (definition as Readonly<Record<string, { readonly options?: ContractMethod['options'] }>>)[key]?.options;
}

/** The methods of a definition of ts-proto, nice-grpc or grpc-js. Made once for each definition. */
export function contractMethods(definition: CompatServiceDefinition): readonly ContractMethod[] {
  const found = known.get(definition);
  if (found) return found;
  const methods = Object.entries(normalizeServiceDefinition(definition)).map(([key, method]): ContractMethod => {
    const { path, requestStream, responseStream } = method;
    const options = ownOptions(definition, key) ?? method.options;
    const made = { ...splitPath(path), key, path, requestStream, responseStream, options, deadlineMs: methodDeadline(options), definition: method, source: definition };
    ours.add(made);
    return made;
  });
  known.set(definition, methods);
  return methods;
}

/** The fully qualified name of a definition's contract: `account.v1.AccountService`. */
export function contractName(definition: CompatServiceDefinition): string {
  if ('fullName' in definition && typeof definition.fullName === 'string') return definition.fullName;
  const names = new Set(contractMethods(definition).map(({ contract }) => contract));
  const [name] = names;
  if (name === undefined || names.size > 1) throw new Error(`A definition needs methods of one contract; this one has ${names.size === 0 ? 'none' : [...names].join(' and ')}`);
  return name;
}

/** The method of a call, for middleware. Throws for a call that was not made or served by this library. */
export function contractMethod(method: MethodDescriptor): ContractMethod {
  if (!ours.has(method)) throw new Error(`${method.path} was not called through @talaria/rpc: pass call.method on as it is`);
  return method as ContractMethod;
}
