import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { GenerateError } from './generate-error.ts';

const require = createRequire(import.meta.url);

/** What ts-proto is told, so that its code passes the strictest flags and runs by stripping types. */
const TS_PROTO_OPTIONS = [
  'outputServices=nice-grpc',
  'outputServices=generic-definitions',
  'importSuffix=.ts',
  'enumsAsLiterals=true',
  'unrecognizedEnum=false',
  'oneof=unions-value',
  'forceLong=bigint',
  'esModuleInterop=true',
  'useExactTypes=false',
  'env=node',
  'outputIndex=false',
];

/** Where buf starts; its program lies in an optional package for this platform. Throws a `GenerateError` if that was left out. */
function bufProgram(): string {
  const manifest = require.resolve('@bufbuild/buf/package.json');
  const { optionalDependencies = {} } = require(manifest) as { optionalDependencies?: Readonly<Record<string, string>> };
  const isInstalled = (name: string): boolean => {
    try {
      createRequire(manifest).resolve(`${name}/package.json`);
      return true;
    } catch {
      return false;
    }
  };
  if (!Object.keys(optionalDependencies).some(isInstalled)) {
    throw new GenerateError(`buf has no program for ${process.platform} on ${process.arch} here: run "npm install --include=optional", since it comes in an optional package.`);
  }
  return join(dirname(manifest), 'bin/buf');
}

/** Runs buf in `root`, whose `buf.yaml` it reads. What is wrong with a proto file it says itself, on standard error. */
function buf(root: string, args: readonly string[], failure = 'The contracts were not generated: mend what buf says above, then generate again.'): void {
  const program = bufProgram();
  try {
    execFileSync(process.execPath, [program, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    if (typeof (error as { status?: number | null }).status !== 'number') throw error;
    throw new GenerateError(failure);
  }
}

/** Writes the `FileDescriptorSet` of everything that the workspace's `buf.yaml` names, with its source code info, to `file`. */
export function buildImage(root: string, file: string): void {
  buf(root, ['build', '--as-file-descriptor-set', '-o', file]);
}

/** Writes the messages of the proto files below `inputs` (relative to `root`), and of all that they import, into `out`. */
export function generateMessages(root: string, inputs: readonly string[], out: string): void {
  const template = {
    version: 'v2',
    plugins: [
      {
        // By the node that runs us, whatever the machine's is.
        local: [process.execPath, require.resolve('ts-proto/protoc-gen-ts_proto')],
        out,
        strategy: 'all',
        include_imports: true,
        include_wkt: true,
        opt: TS_PROTO_OPTIONS,
      },
    ],
    inputs: inputs.map((directory) => ({ directory })),
  };
  buf(root, ['generate', '--template', JSON.stringify(template)]);
}

/** Checks the proto files below `folder` (relative to `root`) by the lint rules in `buf.yaml`. */
export function lintProtos(root: string, folder: string): void {
  buf(root, ['lint', folder], 'The contracts break rules of their own: mend what buf says above.');
}
