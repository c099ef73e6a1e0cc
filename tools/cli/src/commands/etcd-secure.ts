import { resolve } from 'node:path';
import { findPlatform } from '@talaria/service/platform-file';
import { CliError } from '../cli-error.ts';
import { credentialsFiles } from '../etcd/credentials-files.ts';
import { withSecurePlan, type SecurePlan } from '../etcd/secure.ts';
import { table, type Terminal } from '../terminal.ts';

/** What `talaria etcd secure` takes. */
export interface SecureCommandOptions {
  readonly dir?: string;
  readonly owns?: readonly string[];
  readonly operator?: readonly string[];
  readonly rotate?: readonly string[];
  readonly dryRun?: boolean;
}

const DEFAULT_FOLDER = 'etcd-users';

/** `talaria etcd secure`: who may write what. */
export async function etcdSecure(options: SecureCommandOptions, terminal: Terminal, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<void> {
  const { platform, endpoints, user } = findPlatform(env);
  if (Boolean(user.username) !== Boolean(user.password)) throw new CliError('Set both ETCD_USERNAME and ETCD_PASSWORD, or neither.', 2);
  const served = platform?.etcd_endpoints === endpoints ? platform : undefined;
  const usersDir = served?.etcd_users_dir;
  const files = credentialsFiles(resolve(options.dir ?? usersDir ?? DEFAULT_FOLDER));
  const namespace = env['TALARIA_NAMESPACE'] || 'default';
  const asked = { endpoints, namespace, files, user, owns: options.owns ?? [], operators: options.operator ?? ['operator'], rotate: options.rotate ?? [], served: served?.services ?? {} };
  const failed = (error: unknown): never => {
    if (error instanceof CliError) throw error;
    throw new CliError(`etcd at ${endpoints} did not do all of it (${error instanceof Error ? error.message : String(error)}): run this again, it goes on where it was.`);
  };
  await withSecurePlan(asked, async (plan) => {
    for (const step of plan.steps) {
      if (signal.aborted) throw new CliError('Stopped half way: run this again, it goes on where it was.');
      if (!options.dryRun) await step.run();
      terminal.out(`${options.dryRun ? 'would ' : ''}${step.text}\n`);
    }
    if (plan.steps.length === 0) terminal.out('Everything is as it should be; nothing was changed.\n');
    if (options.dryRun) return;
    terminal.out(`\n${afterwards(plan, (name) => files.file(name), usersDir !== undefined && files.folder === resolve(usersDir), terminal)}`);
  }).catch(failed);
}

function afterwards({ users, unknown }: SecurePlan, file: (name: string) => string, live: boolean, { style }: Terminal): string {
  const known = users.filter(({ name, password }) => !unknown.includes(name) && password === undefined);
  const lines = [table([['USER', 'CREDENTIALS'], ...known.map(({ name, username }) => [username, file(name)])], style)];
  if (unknown.length > 0) lines.push(`The passwords of ${unknown.join(', ')} were set before and are not known here; --rotate <name> makes a new one.\n`);
  if (live) lines.push('What "npx nx serve …" runs, and the CLI, take these files by themselves: there is nothing to set.\n');
  else {
    lines.push(
      'Give each service its own file, and no other: TALARIA_ETCD_CREDENTIALS_FILE=<file>, or what stands in it as ETCD_USERNAME and ETCD_PASSWORD.\n',
      'Operators set ETCD_USERNAME and ETCD_PASSWORD for the CLI. Keep root.json where only you get at it: it is needed to run this again.\n',
    );
  }
  return lines.join('');
}
