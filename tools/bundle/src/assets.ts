import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** The part of an app's package.json that names files which the program reads while it runs. */
interface AppManifest {
  readonly talaria?: { readonly assets?: readonly string[] };
}

/**
 * Copies what `talaria.assets` in an app's package.json names, such as `swagger-ui-dist/swagger-ui.css`, from the packages to
 * `dist/assets`, under the same names. Throws, as `require` does, for what is not installed.
 */
export function copyAssets(folder: string): void {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return;
  const { talaria } = JSON.parse(readFileSync(file, 'utf8')) as AppManifest;
  const require = createRequire(resolve(file));
  for (const asset of talaria?.assets ?? []) {
    const to = join(folder, 'dist/assets', asset);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(require.resolve(asset), to);
  }
}
