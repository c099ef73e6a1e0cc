import { createFileRegistry, fromBinary, getExtension, hasExtension, toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { AccessRule } from '@talaria/contracts/talaria/options/v1/options';
import { contractName, registryOf, type CompatServiceDefinition } from '@talaria/rpc';

/** What must be true of a call before its handler runs. */
export type MethodRule =
  /** A contract of the platform's own, such as health: tokens are not even looked at. */
  | { readonly kind: 'exempt' }
  /** No token is needed. */
  | { readonly kind: 'anyone' }
  /** An authenticated caller, and a principal who holds every one of `scopes`. */
  | { readonly kind: 'principal'; readonly scopes: readonly string[] }
  /** An authenticated caller: one of `names` (undefined: any), and no edge unless `edges`. */
  | { readonly kind: 'services'; readonly names: ReadonlySet<string> | undefined; readonly edges: boolean };

/** The rules of the contracts that a server serves, read once and looked up by path. */
export interface AccessRules {
  /**
   * Reads the rules of a generated definition, instead of those that its contract had; one that is written by hand has none, so
   * the default holds. Throws if its descriptor does not hold the contract.
   */
  add(definition: CompatServiceDefinition): void;
  /** Forgets the rules of a contract, such as `account.v1.AccountService`: the default holds. Harmless for one that has none. */
  remove(contract: string): void;
  /** The rule for a path such as `/account.v1.AccountService/GetAccount`; the default rule for one that is not known. */
  ruleOf(path: string): MethodRule;
}

const EXTENSION = 'talaria.options.v1.access';
const EXEMPT: MethodRule = { kind: 'exempt' };

/** What holds where nothing is said: services other than edges, so that no customer ever gets there. */
const DEFAULT_RULE: MethodRule = { kind: 'services', names: undefined, edges: false };

function ruleFrom({ kind }: AccessRule): MethodRule {
  switch (kind?.$case) {
    case 'anyone':
      return { kind: 'anyone' };
    case 'principal':
      return { kind: 'principal', scopes: kind.value.scopes };
    case 'services':
      return { kind: 'services', names: kind.value.names.length > 0 ? new Set(kind.value.names) : undefined, edges: true };
    default:
      // Also a kind that this version does not know: what cannot be understood opens nothing.
      return DEFAULT_RULE;
  }
}

/** The rules of one contract, by path. */
function rulesIn(fullName: string, registry: FileRegistry): Map<string, MethodRule> {
  const service = registry.getService(fullName);
  if (!service) throw new TypeError(`The descriptor of ${fullName} does not hold it: run \`npm run generate\`.`);
  const access = registry.getExtension(EXTENSION);
  return new Map(
    service.methods.map((method) => {
      const { options } = method.proto;
      if (!access || !options || !hasExtension(options, access)) return [`/${fullName}/${method.name}`, DEFAULT_RULE];
      const { message: schema } = access;
      const value = getExtension(options, access) as Parameters<typeof toBinary>[1];
      return [`/${fullName}/${method.name}`, schema ? ruleFrom(AccessRule.decode(toBinary(schema, value))) : DEFAULT_RULE];
    }),
  );
}

/**
 * The scopes that the methods of a published contract ask for, each once. `descriptorSet` is a `google.protobuf.FileDescriptorSet`.
 * Throws if it cannot be read, or does not hold the contract.
 */
export function scopesOf({ contract, descriptorSet }: { readonly contract: string; readonly descriptorSet: Uint8Array }): readonly string[] {
  const rules = rulesIn(contract, createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet)));
  return [...new Set([...rules.values()].flatMap((rule) => (rule.kind === 'principal' ? rule.scopes : [])))];
}

/**
 * Makes an empty set of rules. `exempt` names contracts that need no token and state no rules, because others wrote them:
 * gRPC's health and reflection.
 */
export function accessRules(options: { readonly exempt?: Iterable<string> } = {}): AccessRules {
  const exempt = new Set(options.exempt);
  const rules = new Map<string, ReadonlyMap<string, MethodRule>>();
  return {
    add(definition) {
      const registry = registryOf(definition);
      const contract = contractName(definition);
      if (exempt.has(contract)) return;
      if (registry) rules.set(contract, rulesIn(contract, registry));
      else rules.delete(contract);
    },
    remove: (contract) => void rules.delete(contract),
    ruleOf(path) {
      const contract = path.slice(1, path.lastIndexOf('/'));
      return rules.get(contract)?.get(path) ?? (exempt.has(contract) ? EXEMPT : DEFAULT_RULE);
    },
  };
}
