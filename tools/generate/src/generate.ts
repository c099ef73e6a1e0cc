import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildImage, generateMessages, lintProtos } from './buf.ts';
import { keepComments } from './comments.ts';
import { contractModule, modulePath } from './contract-module.ts';
import { replaceFolder } from './replace-folder.ts';
import type { GenerateWorkspace } from './workspace.ts';

/** What to generate from, and into what. */
export type GenerateOptions = GenerateWorkspace;

/** Whether there is a contract: buf takes a workspace without any, which a new one is, for a mistake. */
function hasContracts({ root, inputs }: GenerateOptions): boolean {
  return inputs.some((input) => globSync('**/*.proto', { cwd: join(root, input) }).length > 0);
}

/** Checks the style of the workspace's own proto files by the rules in its `buf.yaml`. Throws a `GenerateError` if one breaks them. */
export function lint(options: GenerateOptions): void {
  if (hasContracts({ ...options, inputs: ['proto'] })) lintProtos(options.root, 'proto');
}

/**
 * Writes the code of a workspace's contracts: below `messages/` what ts-proto makes of each proto file, and beside it one module
 * a proto file. Throws a `GenerateError` if a proto file is wrong, and then everything stays as it was.
 */
export function generate(options: GenerateOptions): void {
  const { root, inputs, out } = options;
  const parent = dirname(join(root, out));
  mkdirSync(parent, { recursive: true });
  // On the same disk as the result, which is then moved into place.
  const temporary = mkdtempSync(join(parent, '.generate-'));
  try {
    const image = join(temporary, 'image.binpb');
    const gen = join(temporary, 'gen');
    if (!hasContracts(options)) {
      mkdirSync(gen);
      replaceFolder(gen, join(root, out));
      return;
    }
    buildImage(root, image);
    generateMessages(root, inputs, join(gen, 'messages'));
    const files = new Map(fromBinary(FileDescriptorSetSchema, readFileSync(image)).file.map((file) => [file.name, file]));
    for (const proto of files.values()) keepComments(proto);
    for (const proto of files.values()) {
      const path = modulePath(proto.name);
      // The image has all that buf.yaml names; only what the inputs need was generated.
      if (!existsSync(join(gen, 'messages', path))) continue;
      mkdirSync(dirname(join(gen, path)), { recursive: true });
      writeFileSync(join(gen, path), contractModule(proto, files));
    }
    replaceFolder(gen, join(root, out));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
