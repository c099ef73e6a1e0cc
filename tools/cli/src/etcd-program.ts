import type { Command } from 'commander';
import type { SecureCommandOptions } from './commands/etcd-secure.ts';
import type { ProgramContext } from './program.ts';

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

/** `talaria etcd …`: each command's code is loaded when it runs. */
export function addEtcdCommands(program: Command, { terminal, env, signal }: ProgramContext): void {
  const etcd = program.command('etcd').description('Says who may write what in etcd.').addHelpText('after', '\nExamples:\n  talaria etcd secure --dry-run\n  talaria etcd status');

  etcd
    .command('secure')
    .description('Makes users and roles for services and operators, and turns authentication on.')
    .option('--dry-run', 'says what it would do, and does nothing')
    .option('--dir <folder>', 'where the credentials are written, one file a user (default: where serve looks for them, else etcd-users)')
    .option('--operator <name>', 'who may change settings, flags and experiments; as often as needed (default: operator)', collect)
    .option('--owns <service=what>', 'a contract or route that is not published yet; as often as needed', collect)
    .option('--rotate <name>', 'makes a new password for this service, operator or root; as often as needed', collect)
    .addHelpText(
      'after',
      `
A service reads what all read (who serves what, global settings, flags) and its own settings, and writes its own registrations. An
operator reads everything, and writes settings, flags and experiments. Nobody else may do anything. Who owns which contract is taken
from what is published; before a service is deployed that serves a new contract, or a new route, run this with --owns.

It is safe to run again, and goes on where it was stopped: what is right stays, files and passwords too. Where authentication is on
already it needs root: ETCD_USERNAME and ETCD_PASSWORD, or the folder with root.json.

Where: what "npx nx serve …" runs, or any etcd by ETCD_ENDPOINTS; TALARIA_NAMESPACE (default "default").

Examples:
  talaria etcd secure --dry-run
  talaria etcd secure --operator ada --operator bob
  talaria etcd secure --owns service.mail=mail.v1.MailService --owns 'service.mail=POST /mails'`,
    )
    .action(async (options: SecureCommandOptions) => (await import('./commands/etcd-secure.ts')).etcdSecure(options, terminal, env, signal));

  etcd
    .command('status')
    .description('Shows whether etcd asks who one is, and as whom this would log in.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample: talaria etcd status')
    .action(async (options: { json?: boolean }) => (await import('./commands/etcd-status.ts')).etcdStatus(options, terminal, env, signal));
}
