import { getExtension, hasExtension, type DescMethod, type FileRegistry } from '@bufbuild/protobuf';
import { HttpRule } from '@talaria/contracts/google/api/http';
import { toBinary } from '@bufbuild/protobuf';

const EXTENSION = 'google.api.http';

function ruleOf(method: DescMethod, registry: FileRegistry): HttpRule | undefined {
  const extension = registry.getExtension(EXTENSION);
  const { options } = method.proto;
  if (!extension?.message || !options || !hasExtension(options, extension)) return undefined;
  return HttpRule.decode(toBinary(extension.message, getExtension(options, extension) as Parameters<typeof toBinary>[1]));
}

function routesIn({ pattern, additionalBindings }: HttpRule): string[] {
  const own = pattern === undefined ? [] : [pattern.$case === 'custom' ? `${pattern.value.kind} ${pattern.value.path}` : `${pattern.$case.toUpperCase()} ${pattern.value}`];
  return [...own, ...additionalBindings.flatMap(routesIn)];
}

/** The public routes of a contract, from its `google.api.http` annotations: `POST /accounts`, `GET /accounts/{id}`. */
export function routesOf(contract: string, registry: FileRegistry): readonly string[] {
  const methods = registry.getService(contract)?.methods ?? [];
  return methods.flatMap((method) => {
    const rule = ruleOf(method, registry);
    return rule ? routesIn(rule) : [];
  });
}
