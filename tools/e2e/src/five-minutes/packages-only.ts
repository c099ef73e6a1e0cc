import { globSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '../run.ts';

/** What in a workspace comes from this repository's sources rather than from packages: a sentence each; none if all is as it should be. */
export function tracesOfRepository(workspace: string): readonly string[] {
  const links = globSync('node_modules/{*,@*/*,.bin/*}', { cwd: workspace }).filter((path) => lstatSync(join(workspace, path)).isSymbolicLink());
  const astray = links.flatMap((path) => {
    const target = relative(workspace, realpathSync(join(workspace, path)));
    return target.startsWith('..') ? [`${path} leads out of the workspace, to ${target}`] : [];
  });
  const linked = links.filter((path) => path.startsWith('node_modules/@talaria/')).map((path) => `${path} is a link, not a package`);
  const sources = globSync('node_modules/@talaria/*/package.json', { cwd: workspace }).flatMap((path) => {
    const { exports = {} } = JSON.parse(readFileSync(join(workspace, path), 'utf8')) as { exports?: object };
    return /\.ts"/.test(JSON.stringify(exports).replaceAll('.d.ts"', '"')) ? [`${path} exports sources`] : [];
  });
  const named = ['package.json', 'package-lock.json', 'node_modules/.package-lock.json'].flatMap((path) =>
    readFileSync(join(workspace, path), 'utf8').includes(ROOT) ? [`${path} names this repository`] : [],
  );
  return [...astray, ...linked, ...sources, ...named];
}
