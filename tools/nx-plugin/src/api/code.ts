import { memberOf, type Names } from '../naming/names.ts';
import type { ProtoMethod } from '../proto/method.ts';

/** What the templates of an API are filled with. */
export interface ApiContext {
  readonly names: Names;
  /** The package of the contracts. */
  readonly contracts: string;
  /** The API's contract: module and name. */
  readonly api: { readonly module: string; readonly service: string };
  /** The contract behind it: module, name, and the app that serves it. */
  readonly behind: { readonly module: string; readonly service: string; readonly contract: string; readonly project: string };
  readonly methods: readonly ProtoMethod[];
  /** `invoice-api`. */
  readonly project: string;
  /** Where its routes begin. */
  readonly path: string;
}

/** `src/handlers/…-api-handlers.ts`. */
export function handlers({ names: { one, many }, contracts, api, behind, methods }: ApiContext): string {
  return `import { type ${api.service}Definition } from '${contracts}/${api.module}';
import { type ${behind.service}Definition } from '${contracts}/${behind.module}';
import { type Client, type ServiceImplementation } from '@talaria/service';

/** The services behind this API. */
export interface Behind {
  readonly ${many.camel}: Client<${behind.service}Definition>;
}

/** Passes each call on, on behalf of the principal that makes it. What is to look different from outside differs here. */
export function ${one.camel}ApiHandlers({ ${many.camel} }: Behind): ServiceImplementation<${api.service}Definition> {
  return {
${methods.map((method) => `    ${memberOf(method.name)}: (request) => ${many.camel}.${memberOf(method.name)}(request),`).join('\n')}
  };
}
`;
}

/** `src/handlers/…-api-handlers.test.ts`. */
export function handlersTest({ names: { one, many }, contracts, api, behind, methods }: ApiContext): string {
  const unary = methods.filter(({ clientStreaming, serverStreaming }) => !clientStreaming && !serverStreaming);
  const [first] = unary;
  const guarded = unary.find(({ access }) => access === undefined || access.includes('principal'));
  const make = `${one.camel}ApiHandlers({ ${many.camel} })`;
  const passes = `test('calls go on to the service behind, and its answers and errors come back', async () => {
  const ${many.camel} = fake(${behind.service}Definition, {
${unary.map((method, index) => `    ${memberOf(method.name)}: async () => ${index === 0 ? "Promise.reject(conflict('test', 'Not now.'))" : '({})'},`).join('\n')}
  });
  const handlers = ${make};
  const { methods } = ${api.service}Definition;
${unary.map((method, index) => (index === 0 ? `  await assert.rejects(call(handlers.${memberOf(method.name)}, {}, { method: methods.${memberOf(method.name)} }), { code: 'conflict.test' });` : `  await call(handlers.${memberOf(method.name)}, {}, { method: methods.${memberOf(method.name)} });`)).join('\n')}
  assert.deepEqual(${many.camel}.calls.map(({ method }) => method), [${unary.map((method) => `'${memberOf(method.name)}'`).join(', ')}]);
});
`;
  const rules = guarded
    ? `
test('customers need a token', async (t) => {
  const platform = await createPlatform();
  platform.service({ name: 'api.${one.kebab}' }).add(${api.service}Definition, ${one.camel}ApiHandlers({ ${many.camel}: fake(${behind.service}Definition) }));
  await platform.start();
  t.after(() => platform.stop());
  const gateway = platform.client(${api.service}Definition, { caller: 'api.gateway', edge: true });
  await assert.rejects(gateway.${memberOf(guarded.name)}({}), { code: 'unauthorized.principal' });
});
`
    : '';
  const testing = [...(first ? ['call'] : []), ...(guarded ? ['createPlatform'] : []), 'fake'];
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ${api.service}Definition } from '${contracts}/${api.module}';
import { ${behind.service}Definition } from '${contracts}/${behind.module}';
${first ? "import { conflict } from '@talaria/service';\n" : ''}import { ${testing.join(', ')} } from '@talaria/testing';
import { ${one.camel}ApiHandlers } from './${one.kebab}-api-handlers.ts';

${passes}${rules}`;
}

/** `src/main.ts`. */
export function main({ names: { one, many }, contracts, api, behind }: ApiContext): string {
  return `import { ${api.service}Definition } from '${contracts}/${api.module}';
import { ${behind.service}Definition } from '${contracts}/${behind.module}';
import { createService } from '@talaria/service';
import { ${one.camel}ApiHandlers } from './handlers/${one.kebab}-api-handlers.ts';

const service = createService({ name: 'api.${one.kebab}', description: 'The public API of ${many.words}' });
service.add(${api.service}Definition, ${one.camel}ApiHandlers({ ${many.camel}: service.client(${behind.service}Definition) }));
await service.run();
`;
}

/** `README.md`. */
export function readme({ names: { many }, project, api, behind, path }: ApiContext): string {
  return `# ${project}

The public API of ${many.words} (\`${api.module.replace(/\/[^/]*$/, '').replaceAll('/', '.')}.${api.service}\`), at \`${path}\`: passes calls on to ${behind.project} (\`${behind.contract}\`).
Its contract is a copy that goes its own way: [proto/${api.module}.proto](../../proto/${api.module}.proto).

\`\`\`
npx nx serve ${project}
\`\`\`
`;
}
