import type { Metafile } from 'esbuild';

/** Bytes of code by npm package or by folder of the workspace (`libs/rpc`). */
export type BytesByPackage = ReadonlyMap<string, number>;

/** What a bundle is made of. */
export interface BundleContents {
  /** What every start reads. */
  readonly eager: BytesByPackage;
  /** What is read only when something imports it while the program runs. */
  readonly lazy: BytesByPackage;
}

/** The npm package, or the folder of the workspace, that a source file belongs to. */
export function packageOf(source: string): string {
  const path = source.replaceAll('\\', '/');
  const installed = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  return installed ?? /(?:^|\/)((?:libs|apps|tools)\/[^/]+)\//.exec(path)?.[1] ?? '(the bundle itself)';
}

/** Adds up what each package takes, by what esbuild says of a bundle. Source: https://esbuild.github.io/api/#metafile */
export function bundleContents({ outputs }: Metafile): BundleContents {
  const eagerFiles = new Set<string>();
  const visit = (file: string): void => {
    const output = outputs[file];
    if (!output || eagerFiles.has(file)) return;
    eagerFiles.add(file);
    for (const { path, kind } of output.imports) if (kind === 'import-statement') visit(path);
  };
  // The chunk of something that is imported while the program runs has an entry point too; that of the program has the name that we gave it.
  for (const file of Object.keys(outputs)) if (file.endsWith('/app.js')) visit(file);
  const [eager, lazy] = [new Map<string, number>(), new Map<string, number>()];
  for (const [file, { inputs }] of Object.entries(outputs)) {
    const sums = eagerFiles.has(file) ? eager : lazy;
    for (const [source, { bytesInOutput }] of Object.entries(inputs)) sums.set(packageOf(source), (sums.get(packageOf(source)) ?? 0) + bytesInOutput);
  }
  return { eager, lazy };
}
