import type { Tree } from '@nx/devkit';
import { GeneratorError } from '../generator-error.ts';
import type { ProtoFile } from '../proto/proto-file.ts';
import { contractsOf, type Workspace } from './workspace.ts';

/** What is to be added. */
export interface Wanted {
  /** What nx will call it: `invoice-service`. */
  readonly project: string;
  /** `service.invoice`. */
  readonly service: string;
  readonly proto: ProtoFile;
}

/** What the gateway and auth-service answer, in every workspace: the first segments of their paths. */
const PLATFORM_PATHS = new Set(['docs', 'healthz', 'oauth2', 'openapi.json', 'ping', 'readyz']);

/** Routes that differ only in the names of their variables match the same requests. */
export const shapeOf = (route: string): string => route.replace(/\{[^}=]*(=[^}]*)?\}/g, (_all, pattern: string | undefined) => `{${pattern ?? ''}}`);

/** The routes of a proto file, and whose they are. */
export function routesOf({ services }: ProtoFile): readonly { readonly route: string; readonly contract: string }[] {
  return services.flatMap(({ contract, methods }) => methods.flatMap(({ routes }) => routes.map(({ verb, path }) => ({ route: `${verb.toUpperCase()} ${path}`, contract }))));
}

/** The contract that has one of these routes already, and the route. */
export function takenRoute(workspace: Workspace, wanted: ProtoFile): { readonly route: string; readonly contract: string } | undefined {
  const known = new Map(workspace.protos.flatMap(routesOf).map((found) => [shapeOf(found.route), found]));
  return routesOf(wanted)
    .map(({ route }) => known.get(shapeOf(route)))
    .find((found) => found !== undefined);
}

function checkProject(tree: Tree, { projects }: Workspace, { project, service }: Wanted): void {
  if (tree.exists(`apps/${project}`)) throw new GeneratorError(`apps/${project} is there already: choose another name, or remove that folder first.`);
  const same = projects.find(({ name, manifest }) => name === project || manifest.name === project);
  if (same) throw new GeneratorError(`The project ${project} is there already, in ${same.folder}: choose another name.`);
  const owner = projects.find(({ manifest }) => manifest.talaria?.service === service);
  if (owner) throw new GeneratorError(`${owner.folder} is ${service} already (talaria.service in its package.json): choose another name.`);
}

function checkPackage(tree: Tree, workspace: Workspace, { proto }: Wanted): void {
  const folder = proto.path.slice(0, proto.path.lastIndexOf('/'));
  const there = workspace.protos.filter((other) => other.package === proto.package || isBelow(other.package, proto.package) || isBelow(proto.package, other.package));
  if (tree.exists(folder) || there.length > 0) {
    const names = there.flatMap(({ services }) => services.map(({ contract }) => contract));
    throw new GeneratorError(`The proto package ${proto.package} is taken${names.length > 0 ? ` by ${names.join(', ')}` : ` by ${folder}`}: choose another name.`);
  }
}

const isBelow = (name: string, parent: string): boolean => name.startsWith(`${parent}.`);

function checkContracts(workspace: Workspace, { proto }: Wanted): void {
  const others = contractsOf(workspace).map(({ contract }) => contract);
  for (const { contract } of proto.services) {
    const clash = others.find((other) => other.startsWith(contract) || contract.startsWith(other));
    if (clash !== undefined) throw new GeneratorError(`${contract} and ${clash} cannot stand side by side, as one name starts with the other: choose another name.`);
  }
}

/** Throws a `GeneratorError` if a name or a route of what is to be added is taken, and says by whom. */
export function checkFree(tree: Tree, workspace: Workspace, wanted: Wanted): void {
  checkProject(tree, workspace, wanted);
  checkPackage(tree, workspace, wanted);
  checkContracts(workspace, wanted);
  const reserved = routesOf(wanted.proto).find(({ route }) => PLATFORM_PATHS.has(/ \/([^/:]*)/.exec(route)?.[1] ?? ''));
  if (reserved) throw new GeneratorError(`${reserved.route} is the platform's: choose another name, or another --plural or --path.`);
  const taken = takenRoute(workspace, wanted.proto);
  if (taken) throw new GeneratorError(`${taken.route} is a route of ${taken.contract} already: choose another name, or another --plural.`);
}
