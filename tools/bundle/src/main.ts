#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';

const USAGE = 'Name the folder of an app, which holds src/main.ts: talaria-bundle apps/account-service\n';

const [folder] = process.argv.slice(2);
if (folder === '--help' || folder === '-h') {
  process.stdout.write(`Bundles an app into its folder dist. ${USAGE}`);
  process.exit();
}
if (folder === undefined || !existsSync(join(folder, 'src/main.ts'))) {
  process.stderr.write(USAGE);
  process.exit(2);
}
try {
  await bundle(folder);
  process.stdout.write(`${join(folder, 'dist/main.js')}\n`);
} catch {
  // esbuild has said what is wrong, and where.
  process.exit(1);
}
