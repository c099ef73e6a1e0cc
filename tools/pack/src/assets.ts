import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { binShim } from './bin-shim.ts';
import { packedPath } from './layout.ts';
import { binPath } from './manifest.ts';
import { PackError } from './pack-error.ts';
import type { SourcePackage } from './packages.ts';

/** On npm a link to another folder of this repository leads nowhere: its text stays. */
export function withoutOutsideLinks(markdown: string): string {
  return markdown.replace(/\[([^\]\n]+)\]\(\.\.\/[^)\n]*\)/g, '$1');
}

/** Writes README and LICENSE. */
export function writeDocuments(root: string, { folder, manifest }: SourcePackage, staging: string): void {
  const readme = join(root, folder, 'README.md');
  if (!existsSync(readme)) throw new PackError(`${manifest.name} has no README: write ${folder}/README.md.`);
  writeFileSync(join(staging, 'README.md'), withoutOutsideLinks(readFileSync(readme, 'utf8')));
  cpSync(join(root, 'LICENSE'), join(staging, 'LICENSE'));
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/** Copies what lies between the sources and is none, such as templates, and what the package's `files` name. */
export function copyAssets(root: string, { folder, manifest }: SourcePackage, staging: string): void {
  const { files = [], generators } = manifest;
  const from = join(root, folder);
  const patterns = ['src/**/*', ...files.flatMap((file) => [file, `${file}/**/*`])];
  for (const file of globSync(patterns, { cwd: from, exclude: ['**/*.ts', '**/testing/**'] })) {
    if (statSync(join(from, file)).isFile()) copy(join(from, file), join(staging, packedPath(file.replaceAll('\\', '/'))));
  }
  if (generators !== undefined) {
    // Its paths are those of sources.
    const text = readFileSync(join(from, generators), 'utf8').replace(/"(\.\/src\/[^"]+)"/g, (_, path: string) => `"${packedPath(path)}"`);
    writeFileSync(join(staging, generators), text);
  }
}

/**
 * Copies the files of others that an app reads while it runs (`talaria.assets`, such as `swagger-ui-dist/swagger-ui.css`) to
 * `dist/assets`, as in a bundle: who installs the app needs neither their package nor what that does when it is installed.
 */
export function copyForeignAssets(root: string, { folder, manifest }: SourcePackage, staging: string): void {
  const require = createRequire(join(root, folder, 'package.json'));
  for (const asset of (manifest.talaria?.['assets'] ?? []) as readonly string[]) copy(require.resolve(asset), join(staging, 'dist/assets', asset));
}

/** Writes the commands of the package. */
export function writeBins({ manifest }: SourcePackage, staging: string): void {
  for (const [command, program] of Object.entries(manifest.bin ?? {})) {
    const to = join(staging, binPath(command));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, binShim(command, `../${packedPath(program.replace(/^\.\//, ''))}`));
    chmodSync(to, 0o755);
  }
}
