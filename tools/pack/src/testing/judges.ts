import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { manifestOf, readTarball } from '../tarball.ts';

/** What publint says of a tarball, suggestions included; nothing if it is content. */
export async function publintOn(file: string): Promise<readonly string[]> {
  const bytes = new Uint8Array(readFileSync(file));
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true, level: 'suggestion' });
  return messages.map((message) => formatMessage(message, pkg) ?? message.code);
}

/**
 * What arethetypeswrong says of a tarball, as its profile `esm-only` does: `require` of these packages, and resolving as
 * TypeScript did before `exports`, are not promised.
 */
export async function typesOn(file: string): Promise<readonly string[]> {
  const modules = readTarball(file).flatMap(({ path }) => (/^gen\/.*\.js$/.test(path) ? [`./${path.slice('gen/'.length, -'.js'.length)}`] : []));
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(file))), { includeEntrypoints: modules });
  if (!analysis.types) return [`${manifestOf(readTarball(file)).name} has no types`];
  return analysis.problems
    .filter((problem) => !('resolutionKind' in problem) || (problem.resolutionKind !== 'node10' && problem.resolutionKind !== 'node16-cjs'))
    .map((problem) => JSON.stringify(problem));
}
