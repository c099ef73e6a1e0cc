import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyAssets, copyForeignAssets, writeBins, writeDocuments } from './assets.ts';
import { CONTRACTS, copyPlatformProtos } from './contracts.ts';
import { emit } from './emit.ts';
import { entriesOf } from './entries.ts';
import { packedManifest } from './manifest.ts';
import { npm } from './npm.ts';
import { publishedPackages } from './packages.ts';

/** npm packs these, named or not. */
const ALWAYS = ['LICENSE', 'README.md'];

/** What to pack, and where to. */
export interface PackOptions {
  /** The workspace, with its contracts generated. */
  readonly root: string;
  /** The folder for the tarballs; it is made if it is not there. */
  readonly out: string;
  /** Which packages. Default: everything that is not private. */
  readonly names?: readonly string[];
}

/** A package that is ready to be published. */
export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** The tarball. */
  readonly file: string;
}

/**
 * Makes the tarballs of the published packages: JavaScript, types, source maps, README, LICENSE, and a package.json for others.
 * Rejects with a `PackError` for what has to be mended first.
 */
export async function pack({ root, out, names }: PackOptions): Promise<readonly PackedPackage[]> {
  const packages = publishedPackages(root, names);
  mkdirSync(out, { recursive: true });
  const temporary = mkdtempSync(join(tmpdir(), 'talaria-pack-'));
  try {
    const staged = packages.map((source) => ({ source, staging: join(temporary, source.folder) }));
    for (const { source, staging } of staged) {
      mkdirSync(staging, { recursive: true });
      writeDocuments(root, source, staging);
      copyAssets(root, source, staging);
      copyForeignAssets(root, source, staging);
      writeBins(source, staging);
      if (source.manifest.name === CONTRACTS) copyPlatformProtos(root, staging);
    }
    emit(root, staged.map(({ source, staging }) => ({ folder: source.folder, entries: entriesOf(root, source), staging })));
    for (const { source, staging } of staged) {
      const files = readdirSync(staging).filter((name) => !ALWAYS.includes(name));
      writeFileSync(join(staging, 'package.json'), `${JSON.stringify(packedManifest(source, files.sort()), undefined, 2)}\n`);
    }
    const printed = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', out, ...staged.map(({ staging }) => staging)], temporary);
    const files = JSON.parse(printed) as { name: string; version: string; filename: string }[];
    return files.map(({ name, version, filename }) => ({ name, version, file: join(out, filename) }));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
