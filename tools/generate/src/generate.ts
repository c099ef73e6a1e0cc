import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildImage, generateMessages } from './buf.ts';
import { keepComments } from './comments.ts';
import { contractModule, modulePath } from './contract-module.ts';
import { replaceFolder } from './replace-folder.ts';
import type { GenerateWorkspace } from './workspace.ts';

/** What to generate from, and into what. */
export type GenerateOptions = GenerateWorkspace;

/**
 * Writes the code of a workspace's contracts: below `messages/` what ts-proto makes of each proto file, and beside it one module
 * a proto file. Throws a `GenerateError` if a proto file is wrong, and then everything stays as it was.
 */
export function generate({ root, inputs, out }: GenerateOptions): void {
  const parent = dirname(join(root, out));
  mkdirSync(parent, { recursive: true });
  // On the same disk as the result, which is then moved into place.
  const temporary = mkdtempSync(join(parent, '.generate-'));
  try {
    const image = join(temporary, 'image.binpb');
    const gen = join(temporary, 'gen');
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
