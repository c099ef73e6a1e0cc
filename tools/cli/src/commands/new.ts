import { basename, resolve } from 'node:path';
import { CliError } from '../cli-error.ts';
import { run } from '../new/command.ts';
import { emptyFolder } from '../new/folder.ts';
import { bringsNode, NEEDED_NODE, ownVersion } from '../new/versions.ts';
import { workspaceFiles } from '../new/workspace-files.ts';
import { checkedName } from '../new/workspace-name.ts';
import { printable, type Terminal } from '../terminal.ts';

/** What the user may say. */
export interface NewOptions {
  readonly dryRun?: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How often somebody who waits for npm hears that it still works. */
const PATIENCE_MS = 10_000;
/** How much of what npm said is shown when it failed. */
const LAST_LINES = 20;

/** `talaria new <name>`: a workspace that has Talaria from npm; `.` is the current folder. Leaves nothing behind if it fails. */
export async function newWorkspace(folder: string, options: NewOptions, terminal: Terminal, env: Env, signal: AbortSignal): Promise<void> {
  const here = folder === '.';
  const path = resolve(folder);
  const name = here ? checkedName(basename(path), 'A workspace is called after its folder, and cannot be called') : checkedName(folder);
  const target = emptyFolder(path, name);
  const files = workspaceFiles(name, ownVersion());
  const { out, style } = terminal;

  if (options.dryRun) {
    for (const file of files.keys()) out(`${style.good('CREATE')} ${here ? '' : `${name}/`}${file}\n`);
    out(`\nThen: npm install, and git init outside of a repository. ${style.dim('--dry-run: nothing was written.')}\n`);
    return;
  }
  await checkMachine(env, signal);

  // Cleaning up takes a moment, and people press Ctrl-C twice.
  const patient = (): void => {};
  for (const name of SIGNALS) process.on(name, patient);
  try {
    target.write(files);
    out(`${style.good('✓')} ${files.size} files in ${path}\n`);
    await install(path, terminal, env, signal);
    await initialiseGit(path, terminal, env, signal);
    if (signal.aborted) throw new CliError('Stopped: nothing was left behind.');
  } catch (error) {
    target.undo();
    throw error;
  } finally {
    for (const name of SIGNALS) process.off(name, patient);
  }
  out(`\n${style.strong(name)} is ready. Next:\n\n`);
  if (!here) out(`  cd ${name}\n`);
  out(`  npx nx g service invoice          ${style.dim('# a contract, its service and their tests')}\n`);
  out(`  npx nx serve invoice-service      ${style.dim('# runs it with all that it needs')}\n\n`);
}

/** Before anything is written. */
async function checkMachine(env: Env, signal: AbortSignal): Promise<void> {
  const { platform, arch, version, versions } = process;
  if (!bringsNode(platform, arch) && Number(versions.node.split('.')[0]) < NEEDED_NODE) {
    throw new CliError(`Talaria needs Node ${NEEDED_NODE} or newer, and this is ${version}: for ${platform} on ${arch} npm has none to bring along, so install it from https://nodejs.org.`);
  }
  const { code } = await run('npm', ['--version'], process.cwd(), env, signal);
  if (signal.aborted) throw new CliError('Stopped: nothing was left behind.');
  if (code !== 0) throw new CliError('npm is missing, which installs what a workspace needs: install Node with npm from https://nodejs.org.');
}

async function install(path: string, { out, style }: Terminal, env: Env, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  out(`  npm install, which may take a minute …\n`);
  const patience = setInterval(() => out(style.dim(`  … ${seconds()}\n`)), PATIENCE_MS);
  // Whatever the machine's defaults are, such as NODE_ENV=production: a workspace is for developing.
  const { code, output } = await run('npm', ['install', '--include=dev', '--include=optional', '--no-audit', '--no-fund'], path, env, signal);
  clearInterval(patience);
  if (signal.aborted) throw new CliError('Stopped: nothing was left behind.');
  if (code !== 0) {
    const said = output.trim().split('\n').slice(-LAST_LINES).map((line) => `  ${printable(line)}\n`);
    throw new CliError(`npm install failed, so nothing was left behind; mend what it says, and run this again:\n${said.join('').trimEnd()}`);
  }
  out(`${style.good('✓')} npm install, in ${seconds()}\n`);
}

/** A repository of its own, unless there is one around it, or no git. */
async function initialiseGit(path: string, { out, style }: Terminal, env: Env, signal: AbortSignal): Promise<void> {
  const around = await run('git', ['rev-parse', '--is-inside-work-tree'], path, env, signal);
  if (around.code === 0 || around.code === undefined) return;
  const { code } = await run('git', ['init', '--quiet'], path, env, signal);
  if (code === 0) out(`${style.good('✓')} git init\n`);
}
