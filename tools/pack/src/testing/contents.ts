import { builtinModules } from 'node:module';
import ts from 'typescript';
import { manifestOf, type TarballFile } from '../tarball.ts';

interface PackedManifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly generators?: string;
}

const NEEDED = ['name', 'version', 'description', 'license', 'type', 'engines', 'exports', 'publishConfig'];
const REFUSED = ['private', 'devDependencies', 'scripts', 'nx', 'workspaces'];

/** What is wrong with what a tarball holds; nothing if all is as it should be. `root` is the workspace that it was made in. */
export function problemsIn(files: readonly TarballFile[], root: string): readonly string[] {
  const manifest = manifestOf(files) as PackedManifest;
  const paths = files.map(({ path }) => path);
  const missing = (target: string): boolean => !paths.some((path) => patternOf(target).test(`./${path}`));
  const targets = Object.values(manifest.exports ?? {}).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
  return [
    ...['README.md', 'LICENSE'].filter((path) => !paths.includes(path)).map((path) => `no ${path}`),
    ...NEEDED.filter((key) => !(key in manifest)).map((key) => `package.json lacks ${key}`),
    ...REFUSED.filter((key) => key in manifest).map((key) => `package.json has ${key}`),
    ...paths.filter((path) => /(?<!\.d)\.ts$/.test(path)).map((path) => `source ${path}`),
    ...paths.filter((path) => /\.test\.|(^|\/)testing\//.test(path)).map((path) => `test file ${path}`),
    ...targets.filter(missing).map((target) => `exports name ${target}, which is not there`),
    ...Object.values(manifest.bin ?? {}).flatMap((target) => binProblems(target, files)),
    ...generatorProblems(manifest.generators, files),
    ...files.flatMap((file) => fileProblems(file, manifest, root)),
  ];
}

/** A target of `exports`, in which `*` stands for anything. */
function patternOf(target: string): RegExp {
  return new RegExp(`^${target.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
}

function binProblems(target: string, files: readonly TarballFile[]): string[] {
  const file = files.find(({ path }) => `./${path}` === target);
  if (!file) return [`bin names ${target}, which is not there`];
  return file.data.toString('utf8').startsWith('#!/usr/bin/env node\n') && (file.mode & 0o111) === 0o111 ? [] : [`${target} cannot be run`];
}

/** Each implementation, such as `./dist/service/generator#serviceGenerator`, and each schema has to be there. */
function generatorProblems(list: string | undefined, files: readonly TarballFile[]): string[] {
  if (list === undefined) return [];
  const found = files.find(({ path }) => `./${path}` === list);
  if (!found) return [`generators names ${list}, which is not there`];
  const { generators } = JSON.parse(found.data.toString('utf8')) as { generators: Record<string, { implementation?: string; factory?: string; schema: string }> };
  const targets = Object.values(generators).flatMap(({ implementation, factory, schema }) => [`${(implementation ?? factory ?? '').replace(/#.*/, '').replace(/\.js$/, '')}.js`, schema]);
  return targets.filter((target) => !files.some(({ path }) => `./${path}` === target)).map((target) => `${list} names ${target}, which is not there`);
}

function fileProblems({ path, data }: TarballFile, manifest: PackedManifest, root: string): string[] {
  const text = data.toString('utf8');
  const found: string[] = text.includes(root) ? [`${path} names a path of the machine that packed it`] : [];
  if (path.endsWith('.js.map')) {
    const { sources, sourcesContent } = JSON.parse(text) as { sources: string[]; sourcesContent?: (string | null)[] };
    if (!sources.every((source, at) => source.endsWith('.ts') && !source.startsWith('/') && typeof sourcesContent?.[at] === 'string')) found.push(`${path} holds no source`);
  }
  if (/\.(js|d\.ts)$/.test(path)) found.push(...importProblems(path, text, manifest));
  return found;
}

function importProblems(path: string, text: string, { name, dependencies, optionalDependencies, peerDependencies }: PackedManifest): string[] {
  const known = new Set([name, ...Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })]);
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .flatMap((specifier) => {
      if (specifier.startsWith('.')) return specifier.endsWith('.ts') ? [`${path} imports the source ${specifier}`] : [];
      const [scope = '', second] = specifier.split('/');
      const needed = scope.startsWith('@') ? `${scope}/${second}` : scope;
      return specifier.startsWith('node:') || builtinModules.includes(needed) || known.has(needed) ? [] : [`${path} imports ${specifier}, which is no dependency`];
    });
}
