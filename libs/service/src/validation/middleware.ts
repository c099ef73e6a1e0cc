import { contractMethod, contractMethods, registryOf, type CompatServiceDefinition, type ContractMethod, type ServerMiddleware } from '@talaria/rpc';
import { hasRules } from './has-rules.ts';
import { refuseNul } from './refuse-nul.ts';
import { messageValidator, type MessageValidator } from './message-validator.ts';

/** Validation of the requests of the contracts that a server serves. */
export interface Validation {
  /** Compiles the rules of a contract ahead of its first call. */
  prepare(definition: CompatServiceDefinition): Promise<void>;
  readonly middleware: ServerMiddleware;
}

async function validatorOf(method: ContractMethod): Promise<MessageValidator | undefined> {
  const registry = registryOf(method.source);
  const input = registry?.getService(method.contract)?.methods.find(({ name }) => name === method.name)?.input;
  return registry && input && hasRules(input, registry) ? messageValidator(input, registry) : undefined;
}

/**
 * Checks requests against the rules (`buf.validate`) of their contract before the handler runs: `bad_request.invalid_param`
 * or `bad_request.missing_param`, with the fields. A contract without a descriptor has none. Texts with U+0000 break a rule in
 * every contract.
 */
export function createValidation(): Validation {
  // By the method and not by its path: a contract that was removed may come back as a newer version of itself.
  const pending = new WeakMap<ContractMethod, Promise<MessageValidator | undefined>>();
  const compiled = new WeakMap<ContractMethod, { readonly validate: MessageValidator | undefined }>();

  const compile = (method: ContractMethod): Promise<MessageValidator | undefined> => {
    let compiling = pending.get(method);
    if (compiling === undefined) {
      compiling = validatorOf(method);
      pending.set(method, compiling);
      compiling.then(
        (validate) => compiled.set(method, { validate }),
        () => pending.delete(method),
      );
    }
    return compiling;
  };

  return {
    async prepare(definition) {
      await Promise.all(contractMethods(definition).map(compile));
    },
    middleware: async function* validation(call, context) {
      const method = contractMethod(call.method);
      const known = compiled.get(method);
      const validate = known ? known.validate : await compile(method);
      const { requestSerialize } = method.definition;
      const check = <T>(request: T): T => {
        refuseNul(request, method);
        validate?.(requestSerialize(request));
        return request;
      };
      if (!call.requestStream) return yield* call.next(check(call.request), context);
      const requests = call.request;
      const checked = async function* (): AsyncGenerator<Awaited<typeof requests extends AsyncIterable<infer T> ? T : never>> {
        for await (const request of requests) yield check(request) as never;
      };
      return yield* call.next(checked() as typeof requests, context);
    },
  };
}
