// Writes gen/ from proto/: messages by ts-proto, and for each proto file one module that re-exports them and gives each
// service definition its descriptor. Run by `npm install` and by `npx nx run contracts:generate`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';

const root = join(import.meta.dirname, '../..');
const gen = join(import.meta.dirname, 'gen');

/** A definition's file and all that it imports, dependencies first. */
function closure(file: string, files: Map<string, FileDescriptorProto>): FileDescriptorProto[] {
  const found = new Map<string, FileDescriptorProto>();
  const visit = (name: string): void => {
    const proto = files.get(name);
    if (!proto || found.has(name)) return;
    proto.dependency.forEach(visit);
    found.set(name, proto);
  };
  visit(file);
  return [...found.values()];
}

function moduleFor(proto: FileDescriptorProto, files: Map<string, FileDescriptorProto>, out: string): string {
  const messages = relative(dirname(out), join(gen, 'messages', proto.name.replace(/\.proto$/, '.ts')));
  const from = messages.startsWith('.') ? messages : `./${messages}`;
  const lines = [`export * from '${from}';`];
  if (proto.service.length > 0) {
    const set = create(FileDescriptorSetSchema, { file: closure(proto.name, files) });
    const base64 = Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString('base64');
    lines.push(`import * as messages from '${from}';`, '');
    lines.push(`const descriptor = { file: '${proto.name}', set: '${base64}' } as const;`, '');
    for (const service of proto.service) {
      const name = `${service.name}Definition`;
      lines.push(`/** The contract ${proto.package}.${service.name}. */`);
      lines.push(`export const ${name} = { ...messages.${name}, descriptor } as const;`);
      lines.push(`export type ${name} = typeof ${name};`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function run(): void {
  const temporary = mkdtempSync(join(import.meta.dirname, '.generate-'));
  try {
    const image = join(temporary, 'image.binpb');
    const buf = (...args: string[]): void => {
      execFileSync(join(root, 'node_modules/.bin', process.platform === 'win32' ? 'buf.cmd' : 'buf'), args, {
        cwd: root,
        stdio: 'inherit',
        shell: process.platform === 'win32',
        // buf starts ts-proto with `node`: the one of this workspace, whatever the machine's is.
        env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env['PATH'] ?? ''}` },
      });
    };
    buf('build', '--as-file-descriptor-set', '--exclude-source-info', '-o', image);
    buf('generate');
    const files = new Map(fromBinary(FileDescriptorSetSchema, readFileSync(image)).file.map((file) => [file.name, file]));
    for (const proto of files.values()) {
      const messages = join(gen, 'messages', proto.name.replace(/\.proto$/, '.ts'));
      if (!existsSync(messages)) continue;
      const out = join(gen, proto.name.replace(/\.proto$/, '.ts'));
      mkdirSync(dirname(out), { recursive: true });
      // Written aside and renamed, so that a running service never reads half a file.
      const aside = join(temporary, 'module.ts');
      writeFileSync(aside, moduleFor(proto, files, out));
      renameSync(aside, out);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

try {
  run();
} catch (error) {
  // buf has said what is wrong, and where.
  if ((error as { status?: number | null }).status === undefined) throw error;
  console.error('The contracts were not generated: mend what buf says above, then run `npm run generate`.');
  process.exitCode = 1;
}
