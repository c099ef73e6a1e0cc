import { joinPathFragments, type Tree } from '@nx/devkit';
import { GeneratorError } from '../generator-error.ts';
import type { ProtoFile, ProtoService } from '../proto/proto-file.ts';
import type { Project, Workspace } from './workspace.ts';

/** Whose contracts these are; they only come along. */
const OTHERS = /^(google|buf|grpc|talaria)\./;

/** Where a contract is declared. */
export interface FoundContract {
  readonly proto: ProtoFile;
  readonly service: ProtoService;
}

/** The contract of that name. Throws a `GeneratorError` that names those that there are. */
export function findContract({ protos }: Workspace, contract: string): FoundContract {
  const all = protos.flatMap((proto) => proto.services.map((service) => ({ proto, service }))).filter(({ proto }) => !OTHERS.test(`${proto.package}.`));
  const found = all.find(({ service }) => service.contract === contract);
  if (found) return found;
  const known = all.map(({ service }) => service.contract).sort();
  throw new GeneratorError(`There is no contract ${contract} in proto/: ${known.length > 0 ? `it has ${known.join(', ')}` : 'make one with "npx nx g service invoice"'}.`);
}

/** The app that serves a contract. Throws a `GeneratorError` if none says so. */
export function findServer({ apps }: Workspace, contract: string): Project {
  const found = apps.find(({ manifest }) => manifest.talaria?.contracts?.includes(contract));
  if (!found) throw new GeneratorError(`No app in apps/ serves ${contract}: name it in talaria.contracts in the package.json of the one that does.`);
  return found;
}

/** The app with that name in nx. Throws a `GeneratorError` that names those that there are. */
export function findApp({ apps }: Workspace, name: string): Project {
  const found = apps.find((app) => app.name === name || app.manifest.name === name);
  if (!found) throw new GeneratorError(`There is no app ${name}: ${apps.length > 0 ? `apps/ has ${apps.map((app) => app.name).sort().join(', ')}` : 'make one with "npx nx g service invoice"'}.`);
  return found;
}

/** The TypeScript files below a folder that are not tests. */
export function sourcesBelow(tree: Tree, folder: string): readonly string[] {
  return tree.children(folder).flatMap((child) => {
    const path = joinPathFragments(folder, child);
    if (!tree.isFile(path)) return child === 'node_modules' ? [] : sourcesBelow(tree, path);
    return child.endsWith('.ts') && !child.endsWith('.test.ts') ? [path] : [];
  });
}
