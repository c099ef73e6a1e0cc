/**
 * A command of a packed package, in JavaScript that an old Node understands too: it says so if Node is too old, and runs
 * `program` otherwise. (Where a platform package of Node is installed beside it, npx finds that one first.)
 */
export function binShim(command: string, program: string): string {
  return `#!/usr/bin/env node
const needed = 24;
if (Number(process.versions.node.split('.')[0]) >= needed) {
  await import('${program}');
} else {
  process.stderr.write(\`${command} needs Node \${needed} or newer, and this is \${process.version}: install it from https://nodejs.org and run ${command} again.\\n\`);
  process.exitCode = 1;
}
`;
}
