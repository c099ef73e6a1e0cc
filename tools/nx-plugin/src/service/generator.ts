import { type GeneratorCallback, type Tree } from '@nx/devkit';
import { finish } from '../finish/finish.ts';
import { checkPlural, checkServiceName } from '../naming/check-name.ts';
import { namesOf } from '../naming/names.ts';
import { readProto } from '../proto/proto-file.ts';
import { checkFree } from '../workspace/taken.ts';
import { readWorkspace } from '../workspace/workspace.ts';
import { main, manifest, readme, tsconfig } from './app.ts';
import type { ServiceContext } from './context.ts';
import { handlers, handlersTest } from './handlers.ts';
import { changes, changesTest, pageToken, pageTokenTest } from './logic.ts';
import { serviceProto } from './proto.ts';
import { migrations, storage, storageIndex, storageTest, tables } from './storage.ts';
import { transcript } from './transcript.ts';

/** The options of `nx g service`. */
export interface ServiceGeneratorOptions {
  /** What the service keeps, kebab-case: `invoice`, `bank-statement`. */
  readonly name: string;
  /** The plural, kebab-case. Default: by the rules of English. */
  readonly plural?: string;
  /** Whether customers reach it through the gateway. Default true. */
  readonly public?: boolean;
}

/**
 * Writes a service that keeps one resource: its contract, and an app with handlers, logic, storage and tests. What it answers
 * installs the app and generates the contracts. Throws a `GeneratorError`, before anything is written, for a name that cannot be.
 */
export async function serviceGenerator(tree: Tree, options: ServiceGeneratorOptions): Promise<GeneratorCallback> {
  const { name, plural, public: open = true } = options;
  checkServiceName(name, 'service');
  checkPlural(name, plural);
  const names = namesOf(name, plural);
  const { one, many } = names;
  const workspace = readWorkspace(tree);
  const contract = `${one.snake}/v1/${one.snake}`;
  const context: ServiceContext = { names, contracts: workspace.contracts.name, contract, project: `${one.kebab}-service`, service: `service.${one.kebab}`, public: open };
  const { project, service } = context;
  const proto = serviceProto(context);
  checkFree(tree, workspace, { project, service, proto: readProto(`proto/${contract}.proto`, proto) });

  tree.write(`proto/${contract}.proto`, proto);
  const app = {
    'package.json': manifest(workspace, {
      project,
      description: `keeps ${many.words}`,
      dependencies: ['@talaria/service', '@talaria/storage', '@talaria/testing'],
      service,
      contract: `${one.snake}.v1.${one.pascal}Service`,
      // Internal ones need no gateway, and take a token only from those who call on a principal's behalf.
      serve: open ? ['api-gateway', 'auth-service'] : ['auth-service'],
    }),
    'tsconfig.json': tsconfig(),
    'README.md': readme(context),
    ...(open ? { 'transcript.sh': transcript(context) } : {}),
    'src/main.ts': main(context),
    [`src/handlers/${one.kebab}-handlers.ts`]: handlers(context),
    [`src/handlers/${one.kebab}-handlers.test.ts`]: handlersTest(context),
    [`src/logic/${one.kebab}-changes.ts`]: changes(context),
    [`src/logic/${one.kebab}-changes.test.ts`]: changesTest(context),
    'src/logic/page-token.ts': pageToken(),
    'src/logic/page-token.test.ts': pageTokenTest(context),
    'src/storage/index.ts': storageIndex(context),
    [`src/storage/${one.kebab}-storage.ts`]: storage(context),
    [`src/storage/${one.kebab}-storage.test.ts`]: storageTest(context),
    'src/storage/migrations.ts': migrations(context),
    'src/storage/tables.ts': tables(context),
  };
  for (const [file, text] of Object.entries(app)) tree.write(`apps/${project}/${file}`, text);
  return finish(tree, { install: project, then: `Serve it: npx nx serve ${project}` });
}
