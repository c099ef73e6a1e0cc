import { posix } from 'node:path';
import type { Tree } from '@nx/devkit';
import { addImport } from '../typescript/add-import.ts';
import { addToAnswer, isBehind, nameOfResult, wrapCall } from '../typescript/main-file.ts';
import { sourcesBelow } from '../workspace/find.ts';
import type { Project } from '../workspace/workspace.ts';
import type { EventContext } from './context.ts';
import { publisher, publisherTest } from './publisher.ts';
import { change, changeOf, hasChange, publishingStorage, publishingStorageTest, type Change } from './publishing-storage.ts';

interface StorageFile {
  /** The name of its interface, and of the function that makes it. */
  readonly type: string;
  readonly factory: string;
  /** Below `src/storage`. */
  readonly file: string;
}

const read = (tree: Tree, file: string): string => tree.read(file, 'utf8') ?? '';

/** The storage whose interface has the change, if main makes it. */
function findStorage(tree: Tree, folder: string, main: string, of: Change, message: string): StorageFile | undefined {
  const type = `${message}Storage`;
  const factory = type.charAt(0).toLowerCase() + type.slice(1);
  const file = sourcesBelow(tree, `${folder}/src/storage`).find((each) => hasChange(read(tree, each), type, of, message));
  return file !== undefined && isBehind(main, factory, 'messaging') ? { type, factory, file: posix.relative(`${folder}/src/storage`, file) } : undefined;
}

/** Makes the storage publish. Answers main as it then is; undefined if the change publishes something already. */
function publishOnChange(tree: Tree, folder: string, main: string, of: Change, context: EventContext, storage: StorageFile): string | undefined {
  const file = `${folder}/src/storage/publishing-storage.ts`;
  if (tree.exists(file)) {
    const changed = addToAnswer(read(tree, file), 'publishingStorage', of, change(of, context));
    if (changed === undefined) return undefined;
    tree.write(file, addImport(changed, `../logic/${context.forms.kebab}.ts`, [`publish${context.forms.pascal}`]));
  } else tree.write(file, publishingStorage(of, context, storage));

  const test = file.replace(/\.ts$/, '.test.ts');
  const parts = publishingStorageTest(of, context, storage);
  tree.write(test, `${tree.exists(test) ? read(tree, test) : parts.head}${parts.test}`);

  const index = `${folder}/src/storage/index.ts`;
  const viaIndex = tree.exists(index) && /from '\.\/storage\/index\.ts'/.test(main);
  if (viaIndex && !read(tree, index).includes('publishingStorage')) tree.write(index, `${read(tree, index).trimEnd()}\nexport { publishingStorage } from './publishing-storage.ts';\n`);
  const wrapped = wrapCall(main, storage.factory, 'publishingStorage', [nameOfResult(main, 'postgres') ?? '', nameOfResult(main, 'messaging') ?? '']);
  return wrapped && addImport(wrapped, viaIndex ? './storage/index.ts' : './storage/publishing-storage.ts', ['publishingStorage']);
}

/**
 * Writes what publishes the event, and lets the storage do so where the event tells of one of its changes. Answers main as it
 * then is, and whether that was possible.
 */
export function writePublisher(tree: Tree, { folder }: Project, main: string, context: EventContext): { readonly main: string; readonly wired: boolean } {
  const logic = `${folder}/src/logic/${context.forms.kebab}`;
  tree.write(`${logic}.ts`, publisher(context));
  tree.write(`${logic}.test.ts`, publisherTest(context));
  const of = changeOf(context.type);
  const storage = of && findStorage(tree, folder, main, of, context.message);
  const wired = of && storage && publishOnChange(tree, folder, main, of, context, storage);
  return { main: wired ?? main, wired: wired !== undefined };
}
