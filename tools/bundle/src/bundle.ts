import { rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { copyAssets } from './assets.ts';
import { foundByName, inlineEtcdProto, zodInEnglish } from './plugins.ts';

/** CommonJS packages inside an ES module still call `require` for what is built in. */
const BANNER = `import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __fileURLToPath } from 'node:url'; import { dirname as __dirnameOf } from 'node:path';
const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); const __dirname = __dirnameOf(__filename);`;

/** Optional parts of packages, which they ask for in vain if they are not installed: pg's native client. */
const EXTERNAL = ['pg-native'];

const SHARED = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Names stay: they are what stack traces and errors say. Less source is less memory, for V8 keeps it.
  minifySyntax: true,
  minifyWhitespace: true,
  // Node quotes a whole line above an uncaught error.
  lineLimit: 160,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** How an app is bundled. */
export interface BundleSettings {
  /** Default true; false only says what would be in it. */
  readonly write?: boolean;
}

/**
 * Bundles `folder`/src/main.ts into `folder`/dist: `main.js` starts the program, `app.js` is the program, `chunks` holds what is
 * imported while it runs, `assets` what `talaria.assets` in package.json names, and a source map lies beside each. Answers what esbuild says of `app.js` and the chunks. Rejects,
 * after esbuild has said why, for code that cannot be bundled.
 */
export async function bundle(folder: string, { write = true }: BundleSettings = {}): Promise<Metafile> {
  const outdir = join(folder, 'dist');
  // The names of chunks change with what is in them.
  if (write) rmSync(outdir, { recursive: true, force: true });
  await build({ ...SHARED, entryPoints: [{ in: join(import.meta.dirname, `runtime/main${extname(import.meta.filename)}`), out: 'main' }], outdir, write });
  const { metafile } = await build({
    ...SHARED,
    entryPoints: [{ in: join(folder, 'src/main.ts'), out: 'app' }],
    outdir,
    write,
    // What is imported while the program runs is not even read before.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: 'linked',
    // Positions are enough for stack traces, and a fifth of the size.
    sourcesContent: false,
    banner: { js: BANNER },
    external: EXTERNAL,
    plugins: [inlineEtcdProto, foundByName, zodInEnglish],
    metafile: true,
  });
  if (write) copyAssets(folder);
  return metafile;
}
