import { type DescEnum, type DescMethod } from '@bufbuild/protobuf';
import { type CodeSample, type JsonObject } from '../types.ts';
import { localName, tsLiteral } from './ts-literal.ts';

/** Contracts that come with the platform, generated in a package of its own also where a workspace has contracts itself. */
const PLATFORM = /^(auth|health|grpc|google|talaria)\//;
const PLATFORM_PACKAGE = '@talaria/contracts';

/** The call as a service makes it, with the typed client of its contract. `contracts` is the package of the generated code. */
export function clientSample(method: DescMethod, example: JsonObject, contracts: string): CodeSample {
  const enums = new Set<DescEnum>();
  const request = tsLiteral(method.input, example, enums);
  const definition = `${method.parent.name}Definition`;
  const byFile = new Map<string, string[]>([[method.parent.file.name, [definition]]]);
  for (const one of enums) byFile.set(one.file.name, [...(byFile.get(one.file.name) ?? []), localName(one)]);
  const imports = [...byFile].map(([file, names]) => `import { ${names.join(', ')} } from '${PLATFORM.test(file) ? PLATFORM_PACKAGE : contracts}/${file}';`);
  const call = `client.${method.localName}(${request})`;
  const use = method.methodKind === 'server_streaming' ? [`for await (const response of ${call}) console.log(response);`] : [`const response = await ${call};`];
  const source = [...imports, '', '// service is what createService returned: the call inherits deadline, cancellation and principal.', `const client = service.client(${definition});`, ...use].join('\n');
  return { lang: 'TypeScript', label: 'TypeScript', source };
}
