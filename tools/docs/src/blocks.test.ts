import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf } from './blocks.ts';

const page = `# Title

<!-- before
const a = 1;
-->
\`\`\`ts no-run
console.log(a);
\`\`\`
<!-- after
process.exit();
-->

1. A list

   \`\`\`sh
   echo 1
     echo 2
   \`\`\`
`;

test('a block has its language, its marks and what stands around it', () => {
  const [first, second] = blocksOf('a.md', page);
  assert.deepEqual(first, { file: 'a.md', line: 7, language: 'ts', marks: ['no-run'], code: 'console.log(a);', before: 'const a = 1;', after: 'process.exit();' });
  assert.deepEqual([second?.language, second?.code, second?.before], ['sh', 'echo 1\n  echo 2', '']);
});

test('a block that never ends is named', () => {
  assert.throws(() => blocksOf('a.md', 'text\n```ts\ncode'), /a\.md:2 opens a block of code that never ends/);
});
