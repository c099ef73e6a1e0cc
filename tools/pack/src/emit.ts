import ts from 'typescript';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { packedPath, sourceInMap } from './layout.ts';
import { PackError } from './pack-error.ts';

/** What to emit, and where to. */
export interface EmitPackage {
  /** Relative to the workspace. */
  readonly folder: string;
  /** Relative to the folder. */
  readonly entries: readonly string[];
  /** Where the package takes shape, absolute. */
  readonly staging: string;
}

/** As everybody compiles here, but with results: JavaScript, types, and source maps that hold the source. Lint and typecheck have looked for mistakes. */
function compilerOptions(root: string): ts.CompilerOptions {
  const file = join(root, 'tsconfig.base.json');
  const { config, error } = ts.readConfigFile(file, (path) => ts.sys.readFile(path)) as { config: unknown; error?: ts.Diagnostic };
  if (error) throw new PackError(describe([error], root));
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root);
  const { incremental: _kept, ...rest } = options;
  return { ...rest, noEmit: false, noCheck: true, declaration: true, sourceMap: true, inlineSources: true, removeComments: false, rootDir: root, outDir: root };
}

function describe(diagnostics: readonly ts.Diagnostic[], root: string): string {
  return ts.formatDiagnostics(diagnostics, { getCurrentDirectory: () => root, getCanonicalFileName: (name) => name, getNewLine: () => '\n' });
}

/** TypeScript leaves `./a.ts` in types as it is; beside the JavaScript the file is `./a.js`. */
function withJsSpecifiers(types: string): string {
  const { importedFiles } = ts.preProcessFile(types);
  return importedFiles
    .filter(({ fileName }) => /^\.{1,2}\/.*\.ts$/.test(fileName))
    .sort((a, b) => b.pos - a.pos)
    .reduce((text, { fileName, pos }) => {
      const at = text.indexOf(fileName, pos);
      return `${text.slice(0, at)}${fileName.replace(/\.ts$/, '.js')}${text.slice(at + fileName.length)}`;
    }, types);
}

function withPackedSource(map: string, path: string, source: string): string {
  return JSON.stringify({ ...(JSON.parse(map) as object), sourceRoot: '', sources: [sourceInMap(path, source)] });
}

/**
 * Compiles the entries of all `packages`, and what they import of each other, each file into the package that it belongs to. Throws a `PackError` with what TypeScript says, if anything is wrong with the types.
 */
export function emit(root: string, packages: readonly EmitPackage[]): void {
  const entries = packages.flatMap(({ folder, entries }) => entries.map((entry) => join(root, folder, entry)));
  const program = ts.createProgram(entries, compilerOptions(root));
  for (const source of program.getSourceFiles()) {
    const path = relative(root, source.fileName).replaceAll('\\', '/');
    const owner = packages.find(({ folder }) => path.startsWith(`${folder}/`));
    if (!owner || source.isDeclarationFile || path.includes('node_modules/')) continue;
    const { diagnostics } = program.emit(source, (file, text) => write(root, owner, path, file, text));
    const problems = [...diagnostics, ...program.getDeclarationDiagnostics(source)];
    if (problems.length > 0) throw new PackError(`The types of ${path} cannot be written down:\n${describe(problems, root)}`);
  }
}

function write(root: string, { folder, staging }: EmitPackage, source: string, file: string, text: string): void {
  const path = packedPath(relative(join(root, folder), file).replaceAll('\\', '/'));
  const to = join(staging, path);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, path.endsWith('.d.ts') ? withJsSpecifiers(text) : path.endsWith('.map') ? withPackedSource(text, path, source.slice(folder.length + 1)) : text);
}
