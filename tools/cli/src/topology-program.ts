import type { Command } from 'commander';
import type { HealthOptions } from './commands/health.ts';
import type { TopologyOptions } from './commands/topology.ts';
import type { ProgramContext } from './program.ts';

/** `talaria topology` and `talaria health`: each command's code is loaded when it runs. */
export function addTopologyCommands(program: Command, { terminal, env, signal }: ProgramContext): void {
  program
    .command('topology')
    .description('Shows the instances of a contract as its callers see them: state, load, ejections, breakers and budgets.')
    .argument('<contract>', 'such as account.v1.AccountService')
    .option('--watch', 'keeps it up to date, until Ctrl-C; SHARE is then of the last second')
    .option('--json', 'as JSON; with --watch one line a look')
    .option('--from <caller>', 'only the calls of this service, or of the instance with this id (or the last 6 letters of it)')
    .addHelpText('after', `
It asks every instance of every service at its own address, for 2 s at most, and names those that do not answer.

Examples:
  talaria topology account.v1.AccountService --watch
  talaria topology account.v1.AccountService --from service.transaction
  talaria topology account.v1.AccountService --json | jq '.endpoints[] | {address, ready}'`)
    .action(async (contract: string, options: TopologyOptions) => (await import('./commands/topology.ts')).topology(contract, options, terminal, env, signal));

  program
    .command('health')
    .description('Shows which instances are well: what monitors found, what instances say of themselves, what callers saw.')
    .argument('[service]', 'with all its checkers and what they tell; nothing: all services, with the checkers that fail')
    .option('--watch', 'keeps it up to date, until Ctrl-C')
    .option('--json', 'as JSON; with --watch one line a look')
    .addHelpText('after', `
The exit code is 1 if a critical checker fails somewhere, or an instance does not answer its monitor.

Examples:
  talaria health
  talaria health service.account --watch
  talaria health --json | jq '.instances[] | select(.ready | not)'`)
    .action(async (service: string | undefined, options: HealthOptions) => (await import('./commands/health.ts')).health(service, options, terminal, env, signal));
}
