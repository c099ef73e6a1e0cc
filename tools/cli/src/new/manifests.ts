import { GENERATED_CODE_USES, NEEDED_NODE, NODE_PACKAGES, TOOLS } from './versions.ts';

/** What a workspace takes from Talaria: what runs beside its own apps, and what developers run. */
const TALARIA = ['api-gateway', 'auth-service', 'bundle', 'cli', 'contracts', 'etcd-server', 'generate', 'nx-plugin', 'postgres', 'serve'];

/** `package.json` of the workspace. */
export function workspaceManifest(name: string, talariaVersion: string): object {
  return {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    engines: { node: `>=${NEEDED_NODE}` },
    workspaces: ['apps/*', 'libs/*'],
    scripts: {
      prepare: 'talaria-generate',
      generate: 'talaria-generate',
      lint: 'nx run-many -t lint',
      typecheck: 'nx run-many -t typecheck',
      test: 'nx run-many -t test',
      build: 'nx run-many -t build',
    },
    devDependencies: { ...Object.fromEntries(TALARIA.map((each) => [`@talaria/${each}`, talariaVersion])), ...TOOLS },
    optionalDependencies: NODE_PACKAGES,
  };
}

/** `libs/contracts/package.json`: the code that is made of `proto/`. */
export function contractsManifest(name: string): object {
  return {
    name: `@${name}/contracts`,
    version: '0.0.0',
    private: true,
    description: 'what is generated from proto/',
    type: 'module',
    exports: { './*': './gen/*.ts' },
    dependencies: GENERATED_CODE_USES,
    nx: { name: 'contracts', targets: { generate: {}, lint: { command: 'talaria-generate --lint' }, typecheck: {} } },
  };
}

/** `nx.json`: each project opts into these targets by the key `nx` of its package.json. */
export function nxConfiguration(): object {
  const checked = { dependsOn: ['contracts:generate'], inputs: ['default', '^default'], cache: true };
  return {
    $schema: './node_modules/nx/schemas/nx-schema.json',
    analytics: false,
    neverConnectToCloud: true,
    useDaemonProcess: false,
    tui: { enabled: false },
    cacheDirectory: '.nx/cache',
    namedInputs: {
      default: ['{projectRoot}/**/*', 'shared'],
      shared: ['tsconfig.base.json', 'eslint.config.js', 'package-lock.json', 'buf.yaml', 'proto/**/*'].map((path) => `{workspaceRoot}/${path}`),
    },
    targetDefaults: {
      generate: { command: 'talaria-generate', inputs: ['shared'], outputs: ['{workspaceRoot}/libs/contracts/gen'], cache: true },
      lint: { command: 'eslint --max-warnings 0 {projectRoot}', ...checked },
      typecheck: { command: 'tsc -p {projectRoot}', ...checked },
      test: { command: 'node --test "src/**/*.test.ts"', options: { cwd: '{projectRoot}' }, ...checked },
      build: { command: 'talaria-bundle {projectRoot}', outputs: ['{projectRoot}/dist'], ...checked },
      serve: { command: 'talaria-serve {projectName}' },
    },
  };
}

/** `tsconfig.base.json`: strict, and such that Node runs the sources as they are. */
export function compilerOptions(): object {
  return {
    compilerOptions: {
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable', 'esnext.iterator'],
      types: ['node'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      noEmit: true,
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noImplicitOverride: true,
      noFallthroughCasesInSwitch: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: true,
      resolveJsonModule: true,
      skipLibCheck: true,
      incremental: true,
    },
  };
}

/** `libs/contracts/tsconfig.json`. With `files` it is no mistake that nothing is generated yet. */
export function contractsCompilerOptions(): object {
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: { tsBuildInfoFile: 'node_modules/.cache/tsconfig.tsbuildinfo' },
    files: [],
    include: ['gen'],
  };
}
