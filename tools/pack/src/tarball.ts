import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/** A file in a tarball. */
export interface TarballFile {
  /** Without the `package/` in front. */
  readonly path: string;
  readonly mode: number;
  readonly data: Buffer;
}

function field(header: Buffer, from: number, length: number): string {
  return header.toString('utf8', from, from + length).replace(/\0.*$/s, '');
}

/** The path in a pax header: records such as `27 path=package/…`. */
function paxPath(data: Buffer): string | undefined {
  return /^\d+ path=(.*)$/m.exec(data.toString('utf8'))?.[1];
}

/** Reads the files of a tarball that npm made, in its order. */
export function readTarball(file: string): readonly TarballFile[] {
  const bytes = gunzipSync(readFileSync(file));
  const files: TarballFile[] = [];
  let longPath: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header[0] === 0) break;
    const size = parseInt(field(header, 124, 12), 8);
    const data = bytes.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = field(header, 156, 1);
    if (type === 'x') {
      longPath = paxPath(data);
    } else if (type === '0' || type === '') {
      const path = longPath ?? [field(header, 345, 155), field(header, 0, 100)].filter(Boolean).join('/');
      files.push({ path: path.replace(/^package\//, ''), mode: parseInt(field(header, 100, 8), 8), data });
      longPath = undefined;
    }
  }
  return files;
}

/** The package.json in a tarball. */
export function manifestOf(files: readonly TarballFile[]): Readonly<Record<string, unknown>> & { readonly name: string; readonly version: string } {
  const found = files.find(({ path }) => path === 'package.json');
  if (!found) throw new Error('The tarball holds no package.json: it was not made by npm pack.');
  return JSON.parse(found.data.toString('utf8')) as { name: string; version: string };
}
