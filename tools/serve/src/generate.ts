import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, globSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { toolProgram } from './installed.ts';
import type { Output } from './output.ts';

const GENERATOR = '@talaria/generate';
const GEN = 'libs/contracts/gen';

function generatedFiles(root: string): string[] {
  return globSync(`${GEN}/**/*.ts`, { cwd: root }).map((file) => file.replaceAll('\\', '/'));
}

function hashes(root: string): Map<string, string> {
  return new Map(generatedFiles(root).map((file) => [file, createHash('sha256').update(readFileSync(join(root, file))).digest('hex')]));
}

function run(root: string, env: NodeJS.ProcessEnv, output: Output): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [toolProgram(root, GENERATOR)], { argv0: 'node', cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    output.attach('generate', child.stdout);
    output.attach('generate', child.stderr);
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}

/**
 * Generates the contracts anew. Resolves to the generated files that are different now; undefined if it failed, which leaves
 * the generated files as they were, so that a process that restarts meanwhile still finds them.
 */
export async function generate(root: string, stateDir: string, env: NodeJS.ProcessEnv, output: Output): Promise<readonly string[] | undefined> {
  const before = hashes(root);
  const backup = join(stateDir, 'generated');
  rmSync(backup, { recursive: true, force: true });
  if (before.size > 0) cpSync(join(root, GEN), backup, { recursive: true, preserveTimestamps: true });
  const done = await run(root, env, output);
  if (!done && before.size > 0) {
    rmSync(join(root, GEN), { recursive: true, force: true });
    cpSync(backup, join(root, GEN), { recursive: true, preserveTimestamps: true });
  }
  rmSync(backup, { recursive: true, force: true });
  if (!done) return undefined;
  const after = hashes(root);
  return [...new Set([...before.keys(), ...after.keys()])].filter((file) => before.get(file) !== after.get(file));
}

/** Whether a contract changed, moved or went since the code was generated, or nothing was generated yet. */
export function isStale(root: string): boolean {
  // A folder's time tells what went from it, or came into it with an old time of its own.
  const contracts = globSync(['proto/**/', 'proto/**/*.proto'], { cwd: root });
  const generated = generatedFiles(root);
  if (generated.length === 0) return contracts.some((path) => path.endsWith('.proto'));
  const newest = (paths: readonly string[]): number => Math.max(0, ...paths.map((path) => statSync(join(root, path)).mtimeMs));
  return newest(contracts) > newest(generated);
}
