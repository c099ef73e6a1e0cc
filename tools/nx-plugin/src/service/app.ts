import type { Workspace } from '../workspace/workspace.ts';
import type { ServiceContext } from './context.ts';
import { transcript } from './transcript.ts';

/** `src/main.ts`. */
export function main({ names: { one, many }, contracts, contract, service }: ServiceContext): string {
  return `import { ${one.pascal}ServiceDefinition } from '${contracts}/${contract}';
import { createService } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { ${one.camel}Handlers } from './handlers/${one.kebab}-handlers.ts';
import { ${one.camel}Storage, migrations, type Tables } from './storage/index.ts';

const db = postgres<Tables>({ migrations });
const service = createService({ name: '${service}', description: 'Keeps ${many.words}', storage: db });
service.add(${one.pascal}ServiceDefinition, ${one.camel}Handlers(${one.camel}Storage(db)));
await service.run();
`;
}

/** What makes a package an app: the same for services and APIs. */
export function manifest(workspace: Workspace, app: { readonly project: string; readonly description: string; readonly dependencies: readonly string[]; readonly service: string; readonly contract: string; readonly serve: readonly string[] }): string {
  const { contracts, license, versionOf } = workspace;
  const dependencies = [[contracts.name, contracts.version], ...app.dependencies.map((name) => [name, versionOf(name)])].sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  const content = {
    name: app.project,
    version: '0.1.0',
    private: true,
    description: app.description,
    ...(license === undefined ? {} : { license }),
    type: 'module',
    dependencies: Object.fromEntries(dependencies) as Record<string, string>,
    nx: { targets: { lint: {}, typecheck: {}, test: {}, build: {}, serve: {} } },
    talaria: { service: app.service, contracts: [app.contract], serve: app.serve },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** `tsconfig.json`. */
export function tsconfig(): string {
  return `{
  "extends": "../../tsconfig.base.json",
  "compilerOptions": { "tsBuildInfoFile": "node_modules/.cache/tsconfig.tsbuildinfo" },
  "include": ["src", "*.ts"]
}
`;
}

/** `README.md`. */
export function readme(context: ServiceContext): string {
  const { names: { one, many }, project, contract, public: open } = context;
  const title = `# ${project}

Keeps ${many.words} (\`${one.snake}.v1.${one.pascal}Service\`), each for the principal that created it.
`;
  const where = `
- The contract is [proto/${contract}.proto](../../proto/${contract}.proto): change it, and \`serve\` generates and restarts.
- \`src/handlers\` answers calls, \`src/logic\` knows nothing of either, \`src/storage\` keeps ${many.words} in PostgreSQL.
- \`npx nx g method ${one.snake}.v1.${one.pascal}Service/Archive${one.pascal}\` adds a method, \`npx nx g event ${one.snake}.created\` an event.
`;
  if (!open) {
    return `${title}Internal: only services call it; \`npx nx g api ${one.kebab}\` makes a public API in front of it.

\`\`\`
npx nx serve ${project}
\`\`\`
${where}`;
  }
  return `${title}
\`\`\`
npx nx serve ${project}
\`\`\`

\`\`\`
${transcript(context)}\`\`\`
${where}`;
}
