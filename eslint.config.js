// Lint for the whole workspace. Module boundaries are generated from what each package declares: a package may import the
// packages in its dependencies, and nothing reaches past another's public face.
import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import tseslint from 'typescript-eslint';

const projects = globSync('{libs,apps,tools}/*/package.json', { cwd: import.meta.dirname }).map((file) => ({
  folder: dirname(file).replaceAll('\\', '/'),
  manifest: JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')),
}));
const names = projects.map(({ manifest }) => manifest.name);

const boundaries = projects.map(({ folder, manifest }) => {
  const allowed = new Set([manifest.name, ...Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })]);
  const refused = names.filter((name) => !allowed.has(name));
  return {
    files: [`${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(refused.length > 0
              ? [
                  {
                    regex: `^(${refused.join('|')})(/|$)`,
                    message: `${manifest.name} does not stand on this package (docs/design.md, "Layout"; its package.json lists what it stands on).`,
                  },
                ]
              : []),
            { regex: '^\\.\\./(.*/)?(libs|apps|tools|src)/', message: "Import another package by its name: nothing reaches past a package's index.ts." },
          ],
        },
      ],
    },
  };
});

// Types come from the project of each file. For all projects at once (tools/check) one program of everything takes a fraction of the time and memory.
const types = process.env.LINT_WHOLE_WORKSPACE ? { project: ['tsconfig.all.json'] } : { projectService: true };

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', 'libs/contracts/gen/**', '.nx/**', '.talaria/**'] },
  { files: ['**/*.ts'], extends: [tseslint.configs.base], languageOptions: { parserOptions: { ...types, tsconfigRootDir: import.meta.dirname } } },
  {
    files: ['**/*.ts'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', name: ['describe', 'it', 'test', 'suite'], package: 'node:test' }] }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      'no-restricted-syntax': [
        'error',
        { selector: 'Decorator', message: 'No decorators: the walk of a call stays readable.' },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'error',
    },
  },
  { files: ['tools/**/*.ts'], rules: { 'no-console': 'off' } },
  ...boundaries,
);
