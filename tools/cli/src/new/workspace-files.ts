import { compilerOptions, contractsCompilerOptions, contractsManifest, nxConfiguration, workspaceManifest } from './manifests.ts';
import { APPS_README, BUF, ESLINT, GITIGNORE, NPMRC, PROTO_README, readme } from './texts.ts';

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** Every file of a new workspace, by its path in it. */
export function workspaceFiles(name: string, talariaVersion: string): ReadonlyMap<string, string> {
  return new Map([
    ['.gitignore', GITIGNORE],
    ['.npmrc', NPMRC],
    ['README.md', readme(name)],
    ['apps/README.md', APPS_README],
    ['buf.yaml', BUF],
    ['eslint.config.js', ESLINT],
    ['libs/contracts/package.json', json(contractsManifest(name))],
    ['libs/contracts/tsconfig.json', json(contractsCompilerOptions())],
    ['nx.json', json(nxConfiguration())],
    ['package.json', json(workspaceManifest(name, talariaVersion))],
    ['proto/README.md', PROTO_README],
    ['tsconfig.base.json', json(compilerOptions())],
  ]);
}
