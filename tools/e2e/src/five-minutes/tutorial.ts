import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../run.ts';

/** The lines of the tutorial, in the order in which a person writes them. */
export interface TutorialLines {
  /** Until there is a workspace. */
  readonly workspace: readonly string[];
  /** In it, until a service is served: the last one does not end by itself. */
  readonly serve: readonly string[];
  /** In another terminal. */
  readonly call: readonly string[];
}

const BLOCK = /^```sh tutorial\n([^]*?)^```$/gm;

/** What is marked as `sh tutorial` in docs/tutorial.md. Throws if that does not make a workspace, or does not serve a service. */
export function tutorialLines(): TutorialLines {
  const text = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8');
  const lines = [...text.matchAll(BLOCK)].flatMap(([, block = '']) => block.split('\n').filter((line) => line.trim() !== ''));
  const made = lines.findIndex((line) => line.startsWith('npx @talaria/cli new '));
  const served = lines.findIndex((line) => line.startsWith('npx nx serve '));
  if (made < 0 || served < made) throw new Error('docs/tutorial.md has no blocks ```sh tutorial that make a workspace (npx @talaria/cli new) and then serve a service (npx nx serve).');
  return { workspace: lines.slice(0, made + 1), serve: lines.slice(made + 1, served + 1), call: lines.slice(served + 1) };
}
