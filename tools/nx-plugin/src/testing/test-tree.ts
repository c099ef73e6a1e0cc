import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { createTree } from '@nx/devkit/testing';

const ROOT = join(import.meta.dirname, '../../../..');

/** Contracts, an app and a lib, as in this repository: enough to collide with. */
const COPIED = [
  'proto/account/v1/account.proto',
  'proto/webhook/v1/webhook.proto',
  'proto/webhook/api/v1/webhook_api.proto',
  'apps/account-service/package.json',
  'apps/webhook-api/package.json',
  'libs/service/package.json',
];

/** A workspace in memory whose contracts are in `@shop/contracts`, with some of this repository's apps. */
export function testTree(): Tree {
  const tree = createTree();
  for (const file of COPIED) tree.write(file, readFileSync(join(ROOT, file), 'utf8'));
  tree.write('package.json', JSON.stringify({ name: 'shop', license: 'MIT', dependencies: { '@talaria/storage': '0.3.0' } }));
  tree.write('libs/contracts/package.json', JSON.stringify({ name: '@shop/contracts', version: '1.2.3' }));
  return tree;
}

/** The files below `folder`, with their text. */
export function filesBelow(tree: Tree, folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (at: string): void => {
    for (const child of tree.children(at)) {
      const path = `${at}/${child}`;
      if (tree.isFile(path)) found.set(path, tree.read(path, 'utf8') ?? '');
      else visit(path);
    }
  };
  visit(folder);
  return found;
}
