import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, 'src/main.ts'))) {
  process.stderr.write('Name the folder of an app, which holds src/main.ts: node tools/bundle/src/main.ts apps/account-service\n');
  process.exit(2);
}
try {
  await bundle(folder);
  process.stdout.write(`${join(folder, 'dist/main.js')}\n`);
} catch {
  // esbuild has said what is wrong, and where.
  process.exit(1);
}
