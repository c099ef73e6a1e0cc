import { contractMethod, contractMethods, registryOf, type CompatServiceDefinition, type ContractMethod, type ServerMiddleware } from '@talaria/rpc';
import { hasRules } from './has-rules.ts';
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
 * or `bad_request.missing_param`, with the fields. Requests without rules cost nothing; a contract without a descriptor has none.
 */
export function createValidation(): Validation {
  const pending = new Map<string, Promise<MessageValidator | undefined>>();
  const compiled = new Map<string, MessageValidator | undefined>();

  const compile = (method: ContractMethod): Promise<MessageValidator | undefined> => {
    let compiling = pending.get(method.path);
    if (compiling === undefined) {
      compiling = validatorOf(method);
      pending.set(method.path, compiling);
      compiling.then(
        (validator) => compiled.set(method.path, validator),
        () => pending.delete(method.path),
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
      const validate = compiled.has(method.path) ? compiled.get(method.path) : await compile(method);
      if (!validate) return yield* call.next(call.request, context);
      const { requestSerialize } = method.definition;
      const check = <T>(request: T): T => {
        validate(requestSerialize(request));
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
