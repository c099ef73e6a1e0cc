import type { Command } from 'commander';
import type { EvaluateOptions } from './commands/flags/flags.ts';
import type { FlagsWriteOptions } from './flags/open-flags.ts';
import type { ProgramContext } from './program.ts';

const JSON_OPTION = ['--json', 'as JSON'] as const;
const WHY = ['--why <text>', 'the reason, which is kept with the change'] as const;
const IF_REVISION = ['--if-revision <number>', 'only if nobody has changed it since this revision, which get shows; 0: only if it is not there'] as const;
const loadFlags = () => import('./commands/flags/flags.ts');
const loadExperiments = () => import('./commands/flags/experiments.ts');

/** `talaria flags …`: each command's code is loaded when it runs. */
export function addFlagsCommands(program: Command, context: ProgramContext): void {
  const flags = program
    .command('flags')
    .description('Shows and changes feature flags.')
    .addHelpText('after', `
Flags stand in documents as flagd has them (https://flagd.dev/schema/v0/flags.json).

Examples:
  talaria flags apply checkout.json --why 'new checkout, still off'
  talaria flags evaluate new-checkout --for user_1 --context '{"email":"ada@example.com"}'
  talaria flags kill new-checkout --why 'it loses baskets'`);
  flags.command('list').description('Lists all flags.').option(...JSON_OPTION).action(async (options: { json?: boolean }) => (await loadFlags()).flagsList(options, context));
  flags.command('get').description('Prints a document.').argument('<document>', 'as "talaria flags list" shows it').action(async (document: string) => (await loadFlags()).flagsGet(document, context));
  flags
    .command('apply')
    .description('Puts a document: all of it, or nothing if anything is wrong with it.')
    .argument('<file>', 'a document as flagd has it; "-" for standard input')
    .option('--document <name>', 'the name to put it under (default: that of the file)')
    .option(...WHY)
    .option(...IF_REVISION)
    .action(async (file: string, options: FlagsWriteOptions & { document?: string }) => (await loadFlags()).flagsApply(file, options, context));
  flags.command('remove').description('Removes a document.').argument('<document>', 'as "talaria flags list" shows it').option(...WHY).option(...IF_REVISION).action(async (document: string, options: FlagsWriteOptions) => (await loadFlags()).flagsRemove(document, options, context));
  flags.command('evaluate').description('Prints what a service would be answered.').argument('<flag>').option('--for <key>', 'the targetingKey, such as the id of a customer').option('--context <json>', 'what else is known').action(async (flag: string, options: EvaluateOptions) => (await loadFlags()).flagsEvaluate(flag, options, context));
  flags.command('kill').description('Turns a flag off everywhere, at once: callers get their own defaults, experiments or not.').argument('<flag>').option(...WHY).option(...IF_REVISION).action(async (flag: string, options: FlagsWriteOptions) => (await loadFlags()).flagsState(flag, 'DISABLED', options, context));
  flags.command('revive').description('Turns a killed flag on again.').argument('<flag>').option(...WHY).option(...IF_REVISION).action(async (flag: string, options: FlagsWriteOptions) => (await loadFlags()).flagsState(flag, 'ENABLED', options, context));
  flags.command('history').description('Lists who changed which flags and experiments, when and why.').option(...JSON_OPTION).action(async (options: { json?: boolean }) => (await loadFlags()).flagsHistory(options, context));
}

/** `talaria experiments …`: each command's code is loaded when it runs. */
export function addExperimentsCommands(program: Command, context: ProgramContext): void {
  const experiments = program
    .command('experiments')
    .description('Shows and changes experiments.')
    .addHelpText('after', `
An experiment has the name of the flag that it decides, and gives each variant a share of all customers, accounts or devices:

  {"key": "customer", "shares": {"off": 0.5, "on": 0.5}}

Whoever has a variant keeps it for as long as its share does not shrink. Experiments of the same "group" never have the same subject.

Examples:
  talaria experiments apply new-checkout experiment.json
  talaria experiments share new-checkout off=25% on=75%
  talaria experiments stop new-checkout --why 'decided'`);
  const name = ['<name>', 'of the experiment, and of its flag'] as const;
  experiments.command('list').description('Lists all experiments.').option(...JSON_OPTION).action(async (options: { json?: boolean }) => (await loadExperiments()).experimentsList(options, context));
  experiments.command('get').description('Prints an experiment.').argument(...name).action(async (which: string) => (await loadExperiments()).experimentsGet(which, context));
  experiments
    .command('apply')
    .description('Puts an experiment.')
    .argument(...name)
    .argument('<file>', 'with its key and shares, in JSON; "-" for standard input')
    .option(...WHY)
    .option(...IF_REVISION)
    .action(async (which: string, file: string, options: FlagsWriteOptions) => (await loadExperiments()).experimentsApply(which, file, options, context));
  experiments
    .command('share')
    .description('Changes the shares of the variants; a variant that is not named has none any more.')
    .argument(...name)
    .argument('<variant=share...>', 'such as on=25%')
    .option(...WHY)
    .option(...IF_REVISION)
    .action(async (which: string, pairs: readonly string[], options: FlagsWriteOptions) => (await loadExperiments()).experimentsShare(which, pairs, options, context));
  experiments.command('stop').description('Assigns nobody any more; calls under way end as they began.').argument(...name).option(...WHY).option(...IF_REVISION).action(async (which: string, options: FlagsWriteOptions) => (await loadExperiments()).experimentsState(which, 'stopped', options, context));
  experiments.command('start').description('Starts a stopped experiment again, with everybody where they were.').argument(...name).option(...WHY).option(...IF_REVISION).action(async (which: string, options: FlagsWriteOptions) => (await loadExperiments()).experimentsState(which, 'running', options, context));
  experiments.command('remove').description('Removes an experiment.').argument(...name).option(...WHY).option(...IF_REVISION).action(async (which: string, options: FlagsWriteOptions) => (await loadExperiments()).experimentsRemove(which, options, context));
}
