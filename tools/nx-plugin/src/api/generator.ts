import type { GeneratorCallback, Tree } from '@nx/devkit';
import { finish } from '../finish/finish.ts';
import { GeneratorError } from '../generator-error.ts';
import { basePath } from '../method/plan.ts';
import { checkPlural, checkServiceName } from '../naming/check-name.ts';
import { namesOf } from '../naming/names.ts';
import { readProto } from '../proto/proto-file.ts';
import { manifest, tsconfig } from '../service/app.ts';
import { findContract, findServer, type FoundContract } from '../workspace/find.ts';
import { checkFree } from '../workspace/taken.ts';
import { readWorkspace, type Workspace } from '../workspace/workspace.ts';
import { handlers, handlersTest, main, readme, type ApiContext } from './code.ts';
import { apiProto } from './proto.ts';

/** The options of `nx g api`. */
export interface ApiGeneratorOptions {
  /** The service that it stands in front of, kebab-case: `invoice`. */
  readonly name: string;
  /** The plural, kebab-case. Default: by the rules of English. */
  readonly plural?: string;
  /** Where its routes begin. Default: `/invoices`, or `/api/invoices` if the service has public routes itself. */
  readonly path?: string;
}

/** The contract of the service: the one that `nx g service` makes, or the only one of its package. */
function contractBehind(workspace: Workspace, name: string, usual: string): FoundContract {
  const services = workspace.protos.filter((proto) => proto.package === `${name}.v1`).flatMap(({ services: all }) => all);
  const [only] = services;
  return findContract(workspace, services.length === 1 && only ? only.contract : usual);
}

function checkPath(path: string): void {
  if (!/^(\/[a-z0-9][a-z0-9_-]*)+$/.test(path)) throw new GeneratorError(`"${path}" is no path for routes: lower-case segments, each behind a slash, such as /v2/invoices.`);
}

/**
 * Writes an API app in front of a service: a contract of its own, with the methods of the service and public routes, and handlers
 * that pass calls on. Throws a `GeneratorError`, before anything is written, for a name or a route that is taken.
 */
export async function apiGenerator(tree: Tree, options: ApiGeneratorOptions): Promise<GeneratorCallback> {
  const { name, plural } = options;
  checkServiceName(name, 'api');
  checkPlural(name, plural);
  const names = namesOf(name, plural);
  const { one, many } = names;
  const workspace = readWorkspace(tree);
  const found = contractBehind(workspace, one.snake, `${one.snake}.v1.${one.pascal}Service`);
  const server = findServer(workspace, found.service.contract);
  const routes = basePath(found.service.methods);
  const path = options.path ?? (routes === undefined ? `/${many.kebab}` : `/api${routes}`);
  checkPath(path);

  const file = `proto/${one.snake}/api/v1/${one.snake}_api.proto`;
  const contract = { package: `${one.snake}.api.v1`, service: `${one.pascal}ApiService`, words: many.words, scope: many.kebab, paths: { service: routes, api: path } };
  const text = apiProto(found, contract);
  const project = `${one.kebab}-api`;
  checkFree(tree, workspace, { project, service: `api.${one.kebab}`, proto: readProto(file, text) });

  const moduleOf = (proto: string): string => proto.replace(/^proto\//, '').replace(/\.proto$/, '');
  const context: ApiContext = {
    names,
    contracts: workspace.contracts.name,
    api: { module: moduleOf(file), service: contract.service },
    behind: { module: moduleOf(found.proto.path), service: found.service.name, contract: found.service.contract, project: server.name },
    methods: found.service.methods,
    project,
    path,
  };
  tree.write(file, text);
  const app = {
    'package.json': manifest(workspace, {
      project,
      description: `the public API of ${many.words}`,
      dependencies: ['@talaria/service', '@talaria/testing'],
      service: `api.${one.kebab}`,
      contract: `${contract.package}.${contract.service}`,
      serve: ['api-gateway', 'auth-service', server.name],
    }),
    'tsconfig.json': tsconfig(),
    'README.md': readme(context),
    'src/main.ts': main(context),
    [`src/handlers/${one.kebab}-api-handlers.ts`]: handlers(context),
    [`src/handlers/${one.kebab}-api-handlers.test.ts`]: handlersTest(context),
  };
  for (const [each, content] of Object.entries(app)) tree.write(`apps/${project}/${each}`, content);
  return finish(tree, { install: project, then: `Serve it: npx nx serve ${project}. Its routes begin with ${path}.` });
}
