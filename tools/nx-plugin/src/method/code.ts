import { addElement, propertyNames } from '../typescript/add-element.ts';
import { addDefaultImport, addImport } from '../typescript/add-import.ts';
import type { Handlers } from '../typescript/handlers.ts';
import { edited } from '../typescript/source.ts';
import type { MethodPlan } from './plan.ts';

/** Whether the implementation has a method of that name. */
export function hasMethod({ object }: Handlers, { member }: MethodPlan): boolean {
  return propertyNames(object).has(member);
}

/** The file of the handlers with one for the method. */
export function withHandler(text: string, handlers: Handlers, { name, member, snake }: MethodPlan): string {
  const method = `async ${member}() {\n  throw unimplemented('${snake}', '${name} is not implemented yet.');\n}`;
  return addImport(edited(text, [addElement(handlers.source, handlers.object, method)]), '@talaria/service', ['unimplemented']);
}

/** What a test of the handler needs. */
export interface TestOptions {
  readonly handlers: Handlers;
  /** `InvoiceServiceDefinition`, and the module that has it. */
  readonly definition: string;
  readonly module: string;
  /** The module of the handlers, as the test names it: `./invoice-handlers.ts`. */
  readonly file: string;
}

/** The file of the tests (empty if there is none) with one for the method. */
export function withTest(text: string, { name, member, snake, resource }: MethodPlan, { handlers, definition, module, file }: TestOptions): string {
  const parts = Array.from({ length: handlers.parameters ?? 0 }, (_, index) => `{} as Parameters<typeof ${handlers.name}>[${index}]`);
  const made = handlers.parameters === undefined ? handlers.name : `${handlers.name}(${parts.join(', ')})`;
  const request = resource?.one ? `{ id: '${resource.forms.snake}_1' }` : '{}';
  const added = `test('${name} is not implemented yet', async () => {
  const implementation = ${made};
  await assert.rejects(call(implementation.${member}, ${request}, { method: ${definition}.methods.${member}, principal: 'user_ann' }), { code: 'unimplemented.${snake}' });
});
`;
  let result = text;
  if (!/\bassert\b/.test(text)) result = addDefaultImport(result, 'node:assert/strict', 'assert');
  result = addImport(result, 'node:test', ['test']);
  result = addImport(result, module, [definition]);
  result = addImport(result, '@talaria/testing', ['call']);
  result = addImport(result, file, [handlers.name]);
  return `${result.trimEnd()}\n\n${added}`;
}
