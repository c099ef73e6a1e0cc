import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../process-identity.ts';

/** A workspace of tiny programs, and supervisors that serve it. */
export interface FakeWorkspace {
  readonly root: string;
  write(file: string, text: string): void;
  read(file: string): string;
  /** Runs the real supervisor in it; `args` follow the app. */
  serve(app: string, env?: NodeJS.ProcessEnv, args?: readonly string[]): Served;
  /** The processes that `name` has had, in order. */
  pidsOf(name: string): number[];
  /** The process that supervises now. */
  supervisor(): number;
  /** What the environment of the latest process of `name` was. */
  envOf(name: string): NodeJS.ProcessEnv;
  /** And that of one of its processes. */
  envOfProcess(name: string, pid: number): NodeJS.ProcessEnv;
  /** Kills what is left, and removes everything. */
  remove(): Promise<void>;
}

/** The command, as the user sees it; the supervisor itself runs elsewhere. */
export interface Served {
  readonly process: ChildProcess;
  /** Everything it wrote. */
  output(): string;
  /** Its exit code. */
  readonly exited: Promise<number | null>;
}

/** Notes each start, says that it is ready, and stops as real apps do. */
const PROGRAM = `
import { appendFileSync, writeFileSync, mkdirSync, renameSync } from 'node:fs';
export function program(name, message = {}) {
  mkdirSync('log', { recursive: true });
  writeFileSync(\`log/\${name}.\${process.pid}.env\`, JSON.stringify(process.env));
  writeFileSync(\`log/\${name}.\${process.pid}~\`, JSON.stringify(process.env));
  renameSync(\`log/\${name}.\${process.pid}~\`, \`log/\${name}.env\`);
  const stop = () => { appendFileSync('log/stops', \`\${name}\\n\`); process.exit(0); };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('disconnect', stop);
  // Last: whoever sees the process finds its environment, and may stop it.
  appendFileSync(\`log/\${name}.pids\`, \`\${process.pid}\\n\`);
  console.log(\`\${name} runs\`);
  setInterval(() => {}, 1000);
  process.send?.({ ready: true, ...message });
}
`;

const GATEWAY = `
import { createServer } from 'node:http';
import { program } from '@fake/program';
createServer((request, response) => response.writeHead(request.url === '/readyz' ? 200 : 404).end()).listen(Number(process.env.PORT), '127.0.0.1', () => program('api-gateway'));
`;

/** Ends by itself what a broken test would leave running. */
const LIFETIME_MS = 600_000;

/** Where what is Talaria's own comes from. */
export interface FakeWorkspaceOptions {
  /** From npm packages in node_modules, as JavaScript; default: from the workspace itself, as in Talaria's repository. */
  readonly installed?: boolean;
}

/** Makes a workspace with the apps `api-gateway`, `alpha` (keeps data, uses the lib `shared`, generated code) and `beta`, and both engines. */
export function fakeWorkspace({ installed = false }: FakeWorkspaceOptions = {}): FakeWorkspace {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'talaria-serve-')));
  const write = (file: string, text: string): void => {
    const path = join(root, file);
    mkdirSync(dirname(path), { recursive: true });
    // As editors do, so that it is one change.
    writeFileSync(`${path}~`, text);
    renameSync(`${path}~`, path);
  };
  const read = (file: string): string => {
    try {
      return readFileSync(join(root, file), 'utf8');
    } catch {
      return '';
    }
  };
  const pack = (folder: string, manifest: object): void => write(`${folder}/package.json`, JSON.stringify({ type: 'module', ...manifest }));

  const link = (name: string, folder: string): void => {
    mkdirSync(dirname(join(root, 'node_modules', name)), { recursive: true });
    symlinkSync(join(root, folder), join(root, 'node_modules', name), 'junction');
  };
  /** A program of Talaria's: a folder of the workspace that npm links, or an installed package, in which Node strips no types. */
  const talaria = (folder: string, manifest: { readonly name: string }, text: string): void => {
    const at = installed ? `node_modules/${manifest.name}` : folder;
    const file = installed ? 'dist/main.js' : 'src/main.ts';
    pack(at, { ...manifest, bin: { program: `./${file}` } });
    write(`${at}/${file}`, text);
    if (!installed) link(manifest.name, folder);
  };

  write('package.json', '{"type":"module"}');
  pack('node_modules/@fake/program', { name: '@fake/program', exports: './index.js' });
  write('node_modules/@fake/program/index.js', PROGRAM);
  pack('libs/shared', { name: '@fake/shared', exports: { '.': './src/index.ts' } });
  write('libs/shared/src/index.ts', `export { shared } from './shared.ts';`);
  write('libs/shared/src/shared.ts', `export const shared = 1;`);
  pack('libs/contracts', { name: '@talaria/contracts', exports: { './*': './gen/*.ts' } });
  write('libs/contracts/gen/alpha.ts', `export const alpha = 'first';`);
  write('proto/alpha.proto', 'first');
  talaria(
    'tools/generate',
    { name: '@talaria/generate' },
    `import { readFileSync, writeFileSync, rmSync } from 'node:fs';
     const text = readFileSync('proto/alpha.proto', 'utf8').trim();
     rmSync('libs/contracts/gen', { recursive: true });
     if (text === 'broken') { console.error('alpha.proto:1:1: syntax error'); process.exit(1); }
     (await import('node:fs')).mkdirSync('libs/contracts/gen');
     writeFileSync('libs/contracts/gen/alpha.ts', \`export const alpha = '\${text}';\`);`,
  );
  const gateway = { name: '@talaria/api-gateway', nx: { name: 'api-gateway' }, talaria: { service: 'api', serve: [] } };
  talaria('apps/api-gateway', gateway, GATEWAY);
  pack('apps/alpha', { name: 'alpha', talaria: { service: 'service.alpha', contracts: ['alpha.v1.Alpha'], serve: ['beta'] }, dependencies: { '@fake/shared': '*', '@talaria/storage': '*' } });
  write('apps/alpha/src/main.ts', `import { program } from '@fake/program';\nimport { shared } from '@fake/shared';\nimport { alpha } from '@talaria/contracts/alpha';\nconsole.log('shared is', shared, 'contract is', alpha);\nprogram('alpha');\n`);
  pack('apps/beta', { name: 'beta', talaria: { service: 'service.beta', contracts: ['beta.v1.Beta', 'beta.v1.More'] } });
  write('apps/beta/src/main.ts', `import { program } from '@fake/program';\nprogram('beta');\n`);
  pack('apps/whole', { name: 'whole', talaria: { serve: ['api-gateway', 'alpha'] } });
  write('apps/whole/src/main.ts', `import { program } from '@fake/program';\nprogram('whole');\n`);
  talaria('tools/etcd', { name: '@talaria/etcd-server' }, `import { program } from '@fake/program';\nprogram('etcd', { address: process.argv[5] });\n`);
  talaria('tools/postgres', { name: '@talaria/postgres' }, `import { program } from '@fake/program';\nprogram('postgres', { url: \`postgres://me@127.0.0.1:\${process.argv[5]}\` });\n`);
  link('@fake/shared', 'libs/shared');
  link('@talaria/contracts', 'libs/contracts');

  const served: Served[] = [];
  const pidsOf = (name: string): number[] => read(`log/${name}.pids`).split('\n').filter(Boolean).map(Number);
  const supervisorOf = (stateDir = '.talaria'): number | undefined => (JSON.parse(read(`${stateDir}/serve.lock`) || '{}') as { pid?: number }).pid;
  const names = ['api-gateway', 'alpha', 'beta', 'whole', 'etcd', 'postgres'];
  return {
    root,
    write,
    read,
    pidsOf,
    supervisor: () => supervisorOf() ?? -1,
    envOf: (name) => JSON.parse(read(`log/${name}.env`)) as NodeJS.ProcessEnv,
    envOfProcess: (name, pid) => JSON.parse(read(`log/${name}.${pid}.env`)) as NodeJS.ProcessEnv,
    serve(app, env = {}, args = []) {
      const { TALARIA_STATE_DIR: _a, PORT: _b, ETCD_ENDPOINTS: _c, DATABASE_URL: _d, LOG_FORMAT: _e, NODE_TEST_CONTEXT: _f, ...inherited } = process.env;
      const child = spawn(process.execPath, [join(import.meta.dirname, '../main.ts'), app, ...args], { cwd: root, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIFETIME_MS, killSignal: 'SIGKILL' });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const one = { process: child, output: () => text, exited: new Promise<number | null>((resolve) => child.once('exit', resolve)) };
      served.push(one);
      return one;
    },
    async remove() {
      const supervisors = ['.talaria', '.talaria-2'].flatMap((folder) => supervisorOf(folder) ?? []);
      for (const { process: child, exited } of served) {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
        await exited;
      }
      // The supervisor notices that its front is gone, and the programs that their supervisor is.
      await until('the programs are gone', () => [...supervisors, ...names.flatMap(pidsOf)].every((pid) => !isAlive(pid)));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Waits for a condition; fails with what it waited for. */
export async function until(what: string, condition: () => boolean, detail: () => string = () => '', limitMs = 90_000): Promise<void> {
  for (const end = performance.now() + limitMs; performance.now() < end; await delay(20)) {
    if (condition()) return;
  }
  throw new Error(`Waited in vain: ${what}. ${detail()}`);
}
