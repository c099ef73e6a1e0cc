import type { Command } from 'commander';
import type { CanaryOptions } from './canary/canary-options.ts';
import type { ProgramContext } from './program.ts';

const HELP = `
The share is one of principals (customers), who stay on the version as it grows; it is made by a rule of the gateways (gateway.rules) that lives as long
as this command does: when it ends, is killed or loses its network, all is as before within 10 s.

The figures are those of the gateways, of this step alone. It goes back, and says why, when the version fails or is slow more often than chance explains
(errors are answers of 5xx), when its instances go, when somebody else changes the rules, and on Ctrl-C. When the last step went well the rule stays.

Start it with --wait, and the new instances after that: nobody gets them before the first step.

Exit codes: 0 everybody has the version; 1 it went back, or never began; 2 the command is wrong; 130 Ctrl-C, and it went back.

Example: talaria canary service.account 2.0.0 --steps 1,5,25,50,100 --every 5m --why 'release 2.0.0'`;

/** Adds \`talaria canary\`. */
export function addCanaryCommand(program: Command, { terminal, env, signal }: ProgramContext): void {
  program
    .command('canary')
    .description('Gives a new version of a service to ever more principals, and takes it back when it is worse.')
    .argument('<service>', 'such as service.account')
    .argument('<version>', 'such as 2.0.0; at least one instance runs it')
    .option('--steps <percents>', 'shares of the principals, in turn; the last is 100', '1,5,25,50,100')
    .option('--every <time>', 'how long each step takes: 30s, 5m, 1h', '1m')
    .option('--min-calls <number>', 'how many calls to either side a step needs before it is judged', '100')
    .option('--max-error-increase <percent>', 'how many more of 100 calls may fail than of other versions', '1')
    .option('--max-p99-ratio <factor>', 'how many times as long as of other versions its p99 may be', '1.5')
    .option('--max-wait <time>', 'how long a step waits for enough calls before it goes back (default: ten times --every, at least 10m)')
    .option('--wait [time]', 'wait for the first instance of the version, 10m by default; until then nobody gets it')
    .option('--why <reason>', 'kept with each change; may be left out under "npx nx serve" only')
    .addHelpText('after', HELP)
    .action(async (service: string, version: string, options: CanaryOptions) => (await import('./commands/canary.ts')).canary(service, version, options, { terminal, env, signal }));
}
