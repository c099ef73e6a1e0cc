import { readJson, writeJson, type Tree } from '@nx/devkit';
import type { Manifest, Project, Workspace } from './workspace.ts';

/** Adds to an app's dependencies what is missing. Answers whether anything was. */
export function addDependencies(tree: Tree, workspace: Workspace, { folder }: Project, names: readonly string[]): boolean {
  const file = `${folder}/package.json`;
  const manifest = readJson<Manifest & { dependencies?: Record<string, string> }>(tree, file);
  const missing = names.filter((name) => !Object.hasOwn({ ...manifest.devDependencies, ...manifest.dependencies }, name));
  if (missing.length === 0) return false;
  const dependencies = { ...manifest.dependencies, ...Object.fromEntries(missing.map((name) => [name, workspace.versionOf(name)])) };
  const sorted = Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeJson(tree, file, { ...manifest, dependencies: sorted });
  return true;
}
