/** `eslint.config.js`. */
export const ESLINT = `// Lint for the whole workspace. Each rule is there because breaking it has cost somebody an evening.
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', 'libs/contracts/gen/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', name: ['describe', 'it', 'test', 'suite'], package: 'node:test' }] }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      'no-restricted-imports': ['error', { patterns: [{ regex: '^\\\\.\\\\./(.*/)?(apps|libs|src)/', message: 'Import another package by its name.' }] }],
      'no-console': ['error'],
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
);
`;

/** `buf.yaml`: where proto files are, for the generator and for editors. */
export const BUF = `version: v2
modules:
  - path: proto
  # google/api, buf/validate and talaria/options come with Talaria.
  - path: node_modules/@talaria/contracts/proto
lint:
  use: [STANDARD]
breaking:
  use: [FILE]
`;

/** `.npmrc`: exact versions, no address of a registry in the lockfile, and no word about the machine's own Node. */
export const NPMRC = `save-exact=true
omit-lockfile-registry-resolved=true
loglevel=error
fund=false
audit=false
`;

/** `.gitignore`. */
export const GITIGNORE = `node_modules/
dist/
.nx/
.talaria/
libs/contracts/gen/
libs/contracts/.generate-*/
*.log
`;

/** `proto/README.md`. */
export const PROTO_README = `# Contracts

One folder a package: \`proto/invoice/v1/invoice.proto\`. \`npx nx g service invoice\` writes the first; \`talaria-generate\` makes
TypeScript of all of them, which \`npm install\`, \`nx\` and \`serve\` call by themselves.
`;

/** `apps/README.md`. */
export const APPS_README = `# Apps

One folder a service: \`npx nx g service invoice\` writes \`invoice-service\`, and \`npx nx serve invoice-service\` runs it.
`;

/** `README.md`. */
export function readme(name: string): string {
  return `# ${name}

Services on Talaria. On a machine with git, Node 20 or newer and npm:

\`\`\`
npx nx g service invoice          # writes a contract, its service and their tests
npx nx serve invoice-service      # runs it with all that it needs, and the gateway at http://localhost:8080
\`\`\`

In a fresh clone run \`npm ci\` first. Node 24 comes with it on Linux and on Windows (x64); elsewhere install Node 24 yourself.

| command | does |
|---|---|
| \`npx nx g method invoice.v1.InvoiceService/VoidInvoice\` | adds a method to contract, handlers and tests |
| \`npx nx g event invoice.created\` | adds an event and its subscriber |
| \`npm run lint\`, \`typecheck\`, \`test\`, \`build\` | check and bundle everything |
| \`npx talaria services\` | lists what runs; \`npx talaria --help\` lists what else it does |

| folder | what |
|---|---|
| \`proto/\` | contracts: the API between services, and, with \`google.api.http\`, to the world |
| \`apps/\` | one folder a service: \`src/main.ts\` (wiring only), \`src/handlers/\`, \`src/storage/\` |
| \`libs/contracts/\` | \`@${name}/contracts\`, which is generated |
`;
}
