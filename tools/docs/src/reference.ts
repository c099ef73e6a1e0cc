import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Application, LogLevel, ReflectionKind, type DeclarationReflection, type Logger, type ProjectReflection, type SignatureReflection } from 'typedoc';
import { type PluginOptions } from 'typedoc-plugin-markdown';

/** What a reference is made of. */
export interface Reference {
  /** The pages, by path below `docs/reference`, such as `service.md`. */
  readonly pages: ReadonlyMap<string, string>;
  /** One sentence for each exported name without a doc comment. */
  readonly undocumented: readonly string[];
}

/** Names that need a doc comment: what can be imported, not the members of what is. */
const NEEDS_COMMENT = ReflectionKind.Function | ReflectionKind.Variable | ReflectionKind.Class | ReflectionKind.Interface | ReflectionKind.TypeAlias;

/** Generated code and test benches have no reference. */
function entryPoints(root: string): string[] {
  return globSync('libs/*/src/index.ts', { cwd: root }).sort().map((file) => join(root, file));
}

function undocumentedIn(project: ProjectReflection): string[] {
  const found = project.getReflectionsByKind(NEEDS_COMMENT).filter((each) => {
    // Re-exports are documented where they come from, and other people's types by them.
    if (!each.parent?.kindOf(ReflectionKind.Module | ReflectionKind.Project)) return false;
    const source = each.isDeclaration() ? each.sources?.[0]?.fullFileName : undefined;
    if (source === undefined || source.includes('node_modules')) return false;
    return !each.hasComment() && !(each.isDeclaration() && each.signatures?.some((signature) => signature.hasComment()));
  });
  return found.map((each) => `${each.name} has no doc comment${each.isDeclaration() ? ` (${each.sources?.[0]?.fileName})` : ''}.`);
}

/** Modules get their package's name; what TypeScript's own library declares, and where each name is defined, is noise. */
function tidy(project: ProjectReflection): void {
  for (const module of project.children ?? []) module.name = module.name.split('/')[1] ?? module.name;
  const all = Object.values(project.reflections).filter((each): each is DeclarationReflection | SignatureReflection => each.isDeclaration() || each.isSignature());
  const isForeign = ({ sources }: (typeof all)[number]): boolean => sources?.some(({ fullFileName }) => fullFileName.includes('node_modules')) ?? false;
  for (const each of all) if (each.inheritedFrom && isForeign(each)) project.removeReflection(each);
  for (const each of all) delete each.sources;
}

/** Collects what typedoc complains of: a broken link in a comment, say. */
function fail(logger: Logger): void {
  if (logger.hasErrors()) throw new Error('typedoc could not make the reference: mend what it says above.');
}

/** A page as it stands alone: titled after the package that is imported, without groups of which nothing is left. */
function titled(page: string): string {
  return page.replace(/^# (.*)$/m, '# @talaria/$1').replace(/^#### Constructors\n\n(?=#)/gm, '').trimEnd().concat('\n');
}

/** The first page: every lib with what its package.json says of it. */
function overview(root: string, pages: readonly string[]): string {
  const rows = pages.map((page) => {
    const lib = page.replace(/\.md$/, '');
    const { name, description } = JSON.parse(readFileSync(join(root, 'libs', lib, 'package.json'), 'utf8')) as { name: string; description: string };
    return `| [${name}](${page}) | ${description} |`;
  });
  return `# Reference

Every exported name of every lib, made from the doc comments by \`npx nx run docs:reference\`. Authors of services need
[service](service.md), the capabilities that they pass in ([storage](storage.md), [messaging](messaging.md),
[http](http.md)) and [testing](testing.md); the rest is what these are made of.

| package | what it is |
|---|---|
${rows.join('\n')}
`;
}

/** Makes the reference of every lib of the workspace at `root` from its doc comments. Writes nothing. */
export async function makeReference(root: string): Promise<Reference> {
  // Nothing looks for sources there. npm makes the folder only where a package of its own belongs into it.
  const parent = join(root, 'tools/docs/node_modules');
  mkdirSync(parent, { recursive: true });
  const out = mkdtempSync(join(parent, '.reference-'));
  try {
    const options: Partial<PluginOptions> & Record<string, unknown> = {
      entryPoints: entryPoints(root),
      basePath: root,
      tsconfig: join(root, 'tools/docs/tsconfig.libs.json'),
      plugin: ['typedoc-plugin-markdown'],
      name: 'Reference',
      readme: 'none',
      outputFileStrategy: 'modules',
      outputs: [{ name: 'markdown', path: out }],
      skipErrorChecking: true,
      excludeExternals: true,
      excludePrivate: true,
      disableGit: true,
      sourceLinkTemplate: '{path}',
      logLevel: LogLevel.Error,
      hideBreadcrumbs: true,
      hidePageHeader: true,
      useCodeBlocks: true,
      expandObjects: false,
      parametersFormat: 'list',
      interfacePropertiesFormat: 'table',
      propertyMembersFormat: 'table',
      typeDeclarationFormat: 'table',
      classPropertiesFormat: 'table',
      enumMembersFormat: 'table',
      tableColumnSettings: { leftAlignHeaders: true, hideSources: true, hideInherited: true, hideOverrides: true },
      mergeReadme: false,
      entryFileName: 'README.md',
    };
    const app = await Application.bootstrapWithPlugins(options as Parameters<typeof Application.bootstrapWithPlugins>[0]);
    const project = await app.convert();
    fail(app.logger);
    if (!project) throw new Error('typedoc found nothing to document.');
    const undocumented = undocumentedIn(project);
    tidy(project);
    await app.generateOutputs(project);
    fail(app.logger);
    const pages = readdirSync(out).filter((file) => file.endsWith('.md') && file !== 'README.md').sort();
    return {
      pages: new Map([['README.md', overview(root, pages)], ...pages.map((file): [string, string] => [file, titled(readFileSync(join(out, file), 'utf8'))])]),
      undocumented,
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** What differs between the pages in `folder` and those of `reference`: paths, such as `service.md`. */
export function outdatedPages(folder: string, reference: Reference): string[] {
  const present = existsSync(folder) ? readdirSync(folder) : [];
  const changed = [...reference.pages].filter(([file, text]) => !present.includes(file) || readFileSync(join(folder, file), 'utf8') !== text).map(([file]) => file);
  return [...changed, ...present.filter((file) => !reference.pages.has(file))].sort();
}
