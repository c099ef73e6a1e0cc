import type { Command } from 'commander';
import type { ConfigEnvironment } from './config/open-store.ts';
import type { ConfigSetOptions, ConfigWriteEnvironment, WriteOptions } from './commands/config/set.ts';
import type { HistoryCommandOptions } from './commands/config/history.ts';
import type { DiffOptions } from './commands/config/diff.ts';
import type { ValidateOptions } from './commands/config/validate.ts';
import type { ProgramContext } from './program.ts';

const TARGETS = `
A target is global (every service), a service (service.account), one version of it (service.account@1.2.0) or the id of an
instance (inst_…, as "talaria config explain service.account" shows them). The most particular one wins.`;

const WHO = `
Every change records who, when and why. Under "npx nx serve …" who is the user of this system, and --why may be left out; elsewhere
--why is needed, and who is ETCD_USERNAME ("talaria etcd secure" sets up users).`;

const JSON_OPTION = ['--json', 'as JSON'] as const;
const WHY_OPTION = ['--why <text>', 'the reason, which is kept with the change'] as const;
const REVISION_OPTION = ['--if-revision <number>', 'only if nobody has changed these settings since this revision, as get and explain show it'] as const;

/** \`talaria config …\`: each command's code is loaded when it runs. */
export function addConfigCommands(program: Command, context: ProgramContext): void {
  const environment: ConfigEnvironment = context;
  const writing = async (): Promise<ConfigWriteEnvironment> => ({ ...environment, input: context.input ?? (await import('./input.ts')).processInput() });
  const config = program
    .command('config')
    .description('Shows and changes the settings of running services.')
    .addHelpText(
      'after',
      `${TARGETS}

Examples:
  talaria config explain service.account      (what there is to set, and where its values come from)
  talaria config set service.account log.level debug --why 'hunting a leak' --for 10m
  talaria config history service.account`,
    );

  config
    .command('get')
    .description('Prints what a target itself says: all of it, or one setting.')
    .argument('<target>', 'global, a service, name@version or the id of an instance')
    .argument('[name]', 'of a setting, such as log.level')
    .option(...JSON_OPTION)
    .addHelpText('after', `${TARGETS}\n\nExamples:\n  talaria config get service.account\n  talaria config get global log.level`)
    .action(async (target: string, name: string | undefined, options: { json?: boolean }) => (await import('./commands/config/get.ts')).configGet(target, name, options, environment));

  config
    .command('set')
    .description('Sets one setting or several, all of them or none.')
    .argument('<target>', 'global, a service, name@version or the id of an instance')
    .argument('[pairs...]', 'names and values; a value is JSON, or a text where the setting takes one; "-" reads it from standard input')
    .option(...WHY_OPTION)
    .option('--for <time>', 'for so long, such as 30s, 10m or 1h30m; it ends by itself, whatever becomes of this command')
    .option('--file <file>', 'a document of settings, JSON or YAML, in place of names and values; "-" for standard input')
    .option(...REVISION_OPTION)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `${TARGETS}
${WHO}

A value is checked against what the services that run have published, and refused if one of them would not take it. If somebody else
changes the same setting at the same time, one of you is told. A setting that is a secret is encrypted with the first key of
TALARIA_CONFIG_KEYS (under "npx nx serve …" there is one), and shown nowhere.

Examples:
  talaria config set service.account log.level debug --why 'hunting a leak' --for 10m
  talaria config set service.webhook webhook.delays '["5s","1m","10m"]' webhook.concurrency 4
  talaria config set service.mail mail.password - < password.txt
  talaria config set service.account --file settings.yaml --if-revision 4711`,
    )
    .action(async (target: string, pairs: readonly string[], options: ConfigSetOptions) => (await import('./commands/config/set.ts')).configSet(target, pairs, options, await writing()));

  config
    .command('unset')
    .description('Takes away what a target says, so that weaker layers show again; also what it says for a while.')
    .argument('<target>', 'global, a service, name@version or the id of an instance')
    .argument('<names...>', 'of settings')
    .option(...WHY_OPTION)
    .option(...REVISION_OPTION)
    .option(...JSON_OPTION)
    .addHelpText('after', `${WHO}\n\nExample: talaria config unset service.account log.level --why 'found it'`)
    .action(async (target: string, names: readonly string[], options: WriteOptions) => (await import('./commands/config/set.ts')).configUnset(target, names, options, environment));

  config
    .command('explain')
    .description('Shows where values come from: every layer, who wrote it, which one won, and what each instance goes by.')
    .argument('<target>', 'global, a service, name@version or the id of an instance')
    .argument('[name]', 'of a setting; nothing: all')
    .option(...JSON_OPTION)
    .addHelpText('after', `${TARGETS}\n\nExamples:\n  talaria config explain service.account\n  talaria config explain service.account log.level`)
    .action(async (target: string, name: string | undefined, options: { json?: boolean }) => (await import('./commands/config/explain.ts')).configExplain(target, name, options, environment));

  config
    .command('history')
    .description('Lists who changed what, when and why, the last change first.')
    .argument('[target]', 'global, a service, name@version or the id of an instance; nothing: all')
    .argument('[name]', 'of a setting')
    .option('--last <count>', 'how many; the last 1,000 are kept', '20')
    .option(...JSON_OPTION)
    .addHelpText('after', `\nExamples:\n  talaria config history\n  talaria config history service.account log.level --last 5`)
    .action(async (target: string | undefined, name: string | undefined, options: HistoryCommandOptions) => (await import('./commands/config/history.ts')).configHistory(target, name, options, environment));

  config
    .command('rollback')
    .description('Takes one change back: what it set says again what it said before.')
    .argument('<change>', 'its id, as history shows it')
    .option(...WHY_OPTION)
    .option(...JSON_OPTION)
    .addHelpText('after', `\nThis is a change, too, and can be rolled back. It is refused if any of it was changed since: then the later changes are named.\n${WHO}\n\nExample: talaria config rollback chg_01KB…`)
    .action(async (id: string, options: WriteOptions) => (await import('./commands/config/rollback.ts')).configRollback(id, options, environment));

  config
    .command('diff')
    .description('Shows what two targets themselves say differently, or a target now and after a change.')
    .argument('<target>', 'global, a service, name@version or the id of an instance')
    .argument('[other]', 'another target')
    .option('--since <change>', 'compares with what the target said right after this change')
    .option(...JSON_OPTION)
    .addHelpText('after', `\nExamples:\n  talaria config diff service.account@1.2.0 service.account@1.3.0\n  talaria config diff service.account --since chg_01KB…`)
    .action(async (target: string, other: string | undefined, options: DiffOptions) => (await import('./commands/config/diff.ts')).configDiff(target, other, options, environment));

  config
    .command('watch')
    .description('Prints changes as they are made, until Ctrl-C: who, what and why; also what ends by itself.')
    .argument('[target]', 'global, a service, name@version or the id of an instance; nothing: all')
    .argument('[name]', 'of a setting')
    .option('--json', 'one line of JSON a change')
    .addHelpText('after', `\nExamples:\n  talaria config watch\n  talaria config watch service.account --json | jq .change.who`)
    .action(async (target: string | undefined, name: string | undefined, options: { json?: boolean }) => (await import('./commands/config/watch.ts')).configWatch(target, name, options, environment));

  config
    .command('validate')
    .description('Checks what is stored, or a document, against what services publish; fails with all that is wrong.')
    .argument('[target]', 'global, a service, name@version or the id of an instance; nothing: all')
    .option('--file <file>', 'a document of settings, JSON or YAML; "-" for standard input; nothing is written')
    .option(...JSON_OPTION)
    .addHelpText('after', `\nExamples:\n  talaria config validate\n  talaria config validate service.account --file settings.yaml`)
    .action(async (target: string | undefined, options: ValidateOptions) => (await import('./commands/config/validate.ts')).configValidate(target, options, await writing()));

  config
    .command('rekey')
    .description('Encrypts every secret, also in the history, with the first key of TALARIA_CONFIG_KEYS.')
    .option(...WHY_OPTION)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `
To rotate: put a new key in front of the old one, for every service and here; start the services again; run this; drop the old key.
${WHO}

Example: TALARIA_CONFIG_KEYS="k2:$(openssl rand -base64 32),$TALARIA_CONFIG_KEYS" talaria config rekey --why 'yearly rotation'`,
    )
    .action(async (options: WriteOptions) => (await import('./commands/config/rekey.ts')).configRekey(options, environment));
}
