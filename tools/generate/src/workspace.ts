import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GenerateError } from './generate-error.ts';

/** What of a workspace is generated from, and into what. */
export interface GenerateWorkspace {
  /** The folder with `buf.yaml`, absolute. */
  readonly root: string;
  /** Folders whose proto files, and all that those import, are generated: relative to the root. */
  readonly inputs: readonly string[];
  /** Where the code goes, relative to the root. All else in it is removed. */
  readonly out: string;
}

/** The key `talaria` of the contracts package. */
interface ContractsManifest {
  readonly talaria?: { readonly generate?: { readonly inputs?: readonly string[] } };
}

const CONTRACTS = 'libs/contracts';

/**
 * The workspace at or above `from`: `proto/` goes into `libs/contracts/gen`, with the folders that `talaria.generate.inputs` in
 * libs/contracts/package.json adds. Throws a `GenerateError` where there is none.
 */
export function readWorkspace(from: string): GenerateWorkspace {
  const root = rootAbove(from);
  if (!existsSync(join(root, 'proto'))) throw new GenerateError(`There is nothing to generate from: put the contracts into ${join(root, 'proto')}, such as proto/invoice/v1/invoice.proto.`);
  const manifest = join(root, CONTRACTS, 'package.json');
  if (!existsSync(manifest)) throw new GenerateError(`There is no package for the generated code: make ${manifest}, with "exports": { "./*": "./gen/*.ts" }.`);
  const { talaria } = JSON.parse(readFileSync(manifest, 'utf8')) as ContractsManifest;
  return { root, inputs: ['proto', ...(talaria?.generate?.inputs ?? [])], out: `${CONTRACTS}/gen` };
}

function rootAbove(from: string): string {
  const start = resolve(from);
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(join(at, 'buf.yaml'))) return at;
    if (dirname(at) === at) {
      throw new GenerateError(`There is no buf.yaml in ${start} or above it: run this in a Talaria workspace, or add one whose modules are proto and node_modules/@talaria/contracts/proto.`);
    }
  }
}
