import { posix } from 'node:path';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { finish } from '../finish/finish.ts';
import { GeneratorError } from '../generator-error.ts';
import { readProto } from '../proto/proto-file.ts';
import { findHandlers, type Handlers } from '../typescript/handlers.ts';
import { addDependencies } from '../workspace/dependencies.ts';
import { findContract, findServer, sourcesBelow, type FoundContract } from '../workspace/find.ts';
import { shapeOf, takenRoute } from '../workspace/taken.ts';
import { readWorkspace, type Project, type Workspace } from '../workspace/workspace.ts';
import { hasMethod, withHandler, withTest } from './code.ts';
import { planMethod, type MethodPlan } from './plan.ts';
import { withMethod } from './proto.ts';

/** The options of `nx g method`. */
export interface MethodGeneratorOptions {
  /** Contract and method: `invoice.v1.InvoiceService/VoidInvoice`. */
  readonly method: string;
}

const METHOD = /^\/?([A-Za-z_][\w.]*)\/([^/]*)$/;

function parse(method: string): { readonly contract: string; readonly name: string } {
  const [, contract, name] = METHOD.exec(method) ?? [];
  if (contract === undefined || name === undefined) throw new GeneratorError(`"${method}" names no method: contract and method with a slash between them, such as invoice.v1.InvoiceService/VoidInvoice.`);
  if (!/^[A-Z][A-Za-z0-9]*$/.test(name)) throw new GeneratorError(`"${name}" is no name for a method: words that each begin with a capital letter, the verb first, such as VoidInvoice.`);
  return { contract, name };
}

/** The implementation to add to, and where it is. */
function findImplementation(tree: Tree, app: Project, { service }: FoundContract): { readonly file: string; readonly handlers: Handlers } {
  const definition = `${service.name}Definition`;
  for (const file of sourcesBelow(tree, `${app.folder}/src`)) {
    const handlers = findHandlers(tree.read(file, 'utf8') ?? '', definition);
    if (handlers) return { file, handlers };
  }
  throw new GeneratorError(`No file in ${app.folder}/src answers an object of the type ServiceImplementation<${definition}>: give the function that makes the handlers that return type, or add the method by hand.`);
}

function checkFree(workspace: Workspace, found: FoundContract, plan: MethodPlan, handlers: Handlers, app: Project): void {
  const { service, proto } = found;
  const { name } = plan;
  if (service.methods.some((method) => method.name === name)) throw new GeneratorError(`${service.contract} has a method ${name} already: choose another name.`);
  const camel = service.methods.find((method) => method.name.toLowerCase() === name.toLowerCase());
  if (camel) throw new GeneratorError(`${service.contract} has a method ${camel.name} already, which differs only in capital letters: choose another name.`);
  const types = workspace.protos.filter((other) => other.package === proto.package).flatMap((other) => other.types.map((type) => type.name));
  const taken = [`${name}Request`, `${name}Response`].find((type) => types.includes(type));
  if (taken !== undefined) throw new GeneratorError(`${proto.package} has a message ${taken} already: choose another name.`);
  if (hasMethod(handlers, plan)) throw new GeneratorError(`The handlers of ${app.folder} have a method ${plan.member} that the contract has not: add it to ${proto.path} by hand, or choose another name.`);
}

/** Throws if the new route is one that some contract has. */
function checkRoute(workspace: Workspace, path: string, text: string, { route }: MethodPlan): void {
  const others = { ...workspace, protos: workspace.protos.filter((proto) => proto.path !== path) };
  const clash = takenRoute(others, readProto(path, text));
  const own = readProto(path, text).services.flatMap(({ contract, methods }) => methods.flatMap(({ routes }) => routes.map((each) => ({ contract, route: shapeOf(`${each.verb.toUpperCase()} ${each.path}`) }))));
  const twice = route && own.filter((each) => each.route === shapeOf(`${route.verb.toUpperCase()} ${route.path}`)).length > 1;
  if (twice) throw new GeneratorError(`${route.verb.toUpperCase()} ${route.path} is a route of this contract already: choose another name for the method.`);
  if (clash) throw new GeneratorError(`${clash.route} is a route of ${clash.contract} already: choose another name for the method.`);
}

/**
 * Adds a method to a contract, to the handlers of the app that serves it, and to their tests. Throws a `GeneratorError`, before
 * anything is written, for a contract that is not there and a method that is.
 */
export async function methodGenerator(tree: Tree, options: MethodGeneratorOptions): Promise<GeneratorCallback> {
  const { contract, name } = parse(options.method);
  const workspace = readWorkspace(tree);
  const found = findContract(workspace, contract);
  const app = findServer(workspace, contract);
  const plan = planMethod(name, found);
  const { file, handlers } = findImplementation(tree, app, found);
  checkFree(workspace, found, plan, handlers, app);
  const text = withMethod(found, plan);
  checkRoute(workspace, found.proto.path, text, plan);

  tree.write(found.proto.path, text);
  tree.write(file, withHandler(tree.read(file, 'utf8') ?? '', handlers, plan));
  const test = file.replace(/\.ts$/, '.test.ts');
  const module = `${workspace.contracts.name}/${found.proto.path.replace(/^proto\//, '').replace(/\.proto$/, '')}`;
  const before = tree.exists(test) ? (tree.read(test, 'utf8') ?? '') : '';
  tree.write(test, withTest(before, plan, { handlers, definition: `${found.service.name}Definition`, module, file: `./${posix.basename(file)}` }));
  const install = addDependencies(tree, workspace, app, ['@talaria/testing']);
  return finish(tree, { ...(install ? { install: app.name } : {}), then: `Write it: ${plan.member} in ${file}, and its test beside it. Its messages are at the end of ${found.proto.path}.` });
}
