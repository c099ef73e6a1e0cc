import { Command } from 'commander';
import type { CallOptions } from './commands/call.ts';
import type { ListenOptions } from './commands/listen.ts';
import type { NewOptions } from './commands/new.ts';
import type { TokenOptions } from './commands/token.ts';
import type { Terminal } from './terminal.ts';

/** What the commands work with. */
export interface ProgramContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user wants to stop. */
  readonly signal: AbortSignal;
}

const WHERE = `
Where: what "npx nx serve …" runs, found by platform.json in TALARIA_STATE_DIR (default .talaria in the clone), or any
platform by ETCD_ENDPOINTS and TALARIA_SERVICE_KEY_FILE.`;

/** The command line. Each command's code is loaded when it runs: \`listen\` needs no gRPC. */
export function createProgram({ terminal, env, signal }: ProgramContext): Command {
  const program = new Command('talaria')
    .description('Calls, lists and watches what runs on a Talaria platform.')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError('(--help says what there is)')
    .exitOverride();

  program
    .command('new')
    .description('Makes a workspace for services of your own.')
    .argument('<name>', 'of a folder to make here; "." uses this one, if it is empty')
    .option('--dry-run', 'says what it would write, and writes nothing')
    .addHelpText('after', '\nIt writes a few files, runs npm install, and runs git init outside of a repository. If it fails it leaves nothing behind.\n\nExample: talaria new shop')
    .action(async (name: string, options: NewOptions) => (await import('./commands/new.ts')).newWorkspace(name, options, terminal, env, signal));

  program
    .command('listen')
    .description('Receives webhooks and prints each, and whether its signature verifies.')
    .argument('<port>', 'on localhost (127.0.0.1 and ::1)')
    .option('--secret <whsec>', 'the webhook\'s secret, as POST /webhooks answered it; without one signatures are not checked')
    .option('--json', 'one line of JSON a webhook')
    .addHelpText('after', '\nAnswers 200 to webhooks that verify (all, without --secret), 400 to others.\n\nExample: talaria listen 9000 --secret "$SECRET"')
    .action(async (port: string, options: ListenOptions) => (await import('./commands/listen.ts')).listen(port, options, terminal, signal));

  program
    .command('call')
    .description('Calls a method of any published contract and prints its answer as JSON.')
    .argument('<contract/Method>', 'such as account.v1.AccountService/GetAccount')
    .argument('[json]', 'the request, in proto JSON; "-" reads it from standard input; an array for methods that take a stream', '{}')
    .option('--as <client>', 'for which client to act', 'dev')
    .option('--no-as', 'act for nobody: as the service talaria.cli alone')
    .option('--secret <secret>', 'the client\'s secret (default: <client>-secret, which is that of the dev clients)')
    .option('--timeout <seconds>', 'how long the call may take', '10')
    .addHelpText('after', `${WHERE}\n\nExample: talaria call account.v1.AccountService/ListAccounts '{"limit":5}'`)
    .action(async (target: string, json: string, options: CallOptions) => (await import('./commands/call.ts')).call(target, json, options, terminal, env, signal));

  program
    .command('services')
    .description('Lists the published contracts, who owns them and which instances serve them.')
    .option('--json', 'as JSON')
    .addHelpText('after', WHERE)
    .action(async (options: { json?: boolean }) => (await import('./commands/services.ts')).services(options, terminal, env));

  program
    .command('token')
    .description('Prints the metadata that grpcurl and its like have to send: "key: value", one a line.')
    .option('--as <client>', 'adds a passport of this client, such as dev')
    .option('--secret <secret>', 'the client\'s secret (default: <client>-secret, which is that of the dev clients)')
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      `${WHERE}

The tokens are good for up to five minutes. grpcurl takes one -H a line; ADDRESS is one that "talaria services" shows:

  H=(); while read -r line; do H+=(-H "$line"); done < <(npx talaria token --as dev)
  grpcurl -plaintext "\${H[@]}" -d '{"limit":5}' ADDRESS account.v1.AccountService/ListAccounts

Without --as there is one line only, so this does: grpcurl -plaintext -H "$(npx talaria token)" …`,
    )
    .action(async (options: TokenOptions) => (await import('./commands/token.ts')).token(options, terminal, env));

  return program;
}
