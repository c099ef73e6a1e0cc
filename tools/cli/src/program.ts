import { Command } from 'commander';
import { addCanaryCommand } from './canary-program.ts';
import type { CallOptions } from './commands/call.ts';
import { addConfigCommands } from './config-program.ts';
import { addEtcdCommands } from './etcd-program.ts';
import { addExperimentsCommands, addFlagsCommands } from './flags-program.ts';
import { addLoadCommand } from './load-program.ts';
import { SHELLS } from './completion/shells.ts';
import type { Input } from './input.ts';
import type { ListenOptions } from './commands/listen.ts';
import type { NewOptions } from './commands/new.ts';
import type { TokenOptions } from './commands/token.ts';
import { ownVersion } from './new/versions.ts';
import type { Terminal } from './terminal.ts';
import { addTopologyCommands } from './topology-program.ts';

/** What the commands work with. */
export interface ProgramContext {
  readonly terminal: Terminal;
  /** Default: the standard input of this process. */
  readonly input?: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user wants to stop. */
  readonly signal: AbortSignal;
}

const WHERE = `
Where: what "npx nx serve …" runs, found by platform.json in TALARIA_STATE_DIR (default .talaria in the clone), or any
platform by ETCD_ENDPOINTS and TALARIA_SERVICE_KEY_FILE.`;

const EXIT_CODES = `
Exit codes: 0 it worked; 1 it did not; 2 the command is wrong; 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.`;

const CALLING = `
The request is proto JSON, with proto field names or in camel case. Without the argument it is read from a pipe (or a file, by <),
and is empty if there is none. A method that takes a stream reads its requests from standard input as they come: one JSON value
after the other, each of which is sent as soon as it is complete; an array stands for its items.

An answer is printed over several lines; the messages of a stream as they arrive, one a line unless standard output is a terminal.
A call takes as long as its contract says, 10 s where that says nothing; a stream lasts until it ends. Ctrl-C cancels it everywhere.`;

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

/** The command line. Each command's code is loaded when it runs: \`listen\` needs no gRPC. */
export function createProgram(context: ProgramContext): Command {
  const { terminal, env, signal } = context;
  const program = new Command('talaria')
    .description('Calls, lists and watches what runs on a Talaria platform.')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .version(ownVersion(), '-V, --version', 'prints the version')
    // So that a command may have a --version of its own.
    .enablePositionalOptions()
    .addHelpText('after', `${EXIT_CODES}\n\n"talaria <command> --help" shows options and examples. Completion: "talaria completion --help".`)
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
    .argument('[json]', 'the request, in proto JSON; "-" reads it, or a stream of them, from standard input')
    .option('--as <client>', 'for which client to act', 'dev')
    .option('--no-as', 'act for nobody: as the service talaria.cli alone')
    .option('--secret <secret>', 'the client\'s secret (default: <client>-secret, which is that of the dev clients)')
    .option('-H, --header <key: value>', 'metadata to send; as often as needed; a key that ends in -bin takes base64', collect)
    .option('--timeout <seconds>', 'how long the call may take: 10, 0.5, 500ms, 5m')
    .option('--instance <id>', 'only the instance with this id, as "talaria services" shows it')
    .option('--version <version>', 'only instances of this version')
    .option('--compact', 'one line a message')
    .option('--example', 'prints a request to fill in, and calls nothing')
    .addHelpText(
      'after',
      `${CALLING}
${WHERE}

Examples:
  talaria call account.v1.AccountService/ListAccounts '{"limit":5}'
  talaria call account.v1.AccountService/CreateAccount --example
  echo '{"id":"acc_1"}' | talaria call account.v1.AccountService/GetAccount
  talaria call chat.v1.ChatService/Chat            (type requests; Ctrl-D ends)
  talaria call log.v1.LogService/Follow '{}' | head -3
  talaria call account.v1.AccountService/GetAccount '{"id":"acc_1"}' -H 'x-tenant: blue' --as dev2`,
    )
    .action(async (target: string, json: string | undefined, options: CallOptions) => {
      const [{ call }, input] = await Promise.all([import('./commands/call.ts'), context.input ?? import('./input.ts').then(({ processInput }) => processInput())]);
      return call(target, json, options, { terminal, input, env, signal });
    });

  addLoadCommand(program, context);

  program
    .command('describe')
    .description('Shows what a contract or a method is for, what it takes and answers, and a call to copy.')
    .argument('[contract[/Method]]', 'such as account.v1.AccountService or account.v1.AccountService/GetAccount; nothing: all contracts')
    .addHelpText('after', `${WHERE}\n\nExample: talaria describe account.v1.AccountService/CreateAccount`)
    .action(async (target: string | undefined) => (await import('./commands/describe.ts')).describe(target, terminal, env, signal));

  program
    .command('services')
    .description('Lists the published contracts, who owns them and which instances serve them.')
    .option('--json', 'as JSON')
    .addHelpText('after', `${WHERE}\n\nExample: talaria services --json | jq -r '.[].contract'`)
    .action(async (options: { json?: boolean }) => (await import('./commands/services.ts')).services(options, terminal, env, signal));

  addTopologyCommands(program, context);
  addConfigCommands(program, context);
  addFlagsCommands(program, context);
  addExperimentsCommands(program, context);
  addEtcdCommands(program, context);

  addCanaryCommand(program, context);

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

Without --as there is one line only, so this does: grpcurl -plaintext -H "$(npx talaria token)" …

Example: talaria token --as dev --json`,
    )
    .action(async (options: TokenOptions) => (await import('./commands/token.ts')).token(options, terminal, env, signal));

  program
    .command('completion')
    .description('Prints the script with which a shell completes commands, options, contracts, methods and clients.')
    .argument('<shell>', `${SHELLS.join(', ')}`)
    .addHelpText(
      'after',
      `
It completes "talaria …" and "npx talaria …", by the talaria of the folder that you are in. Contracts and methods are those that
are published now; without a platform there are none.

  bash  in ~/.bashrc:  source <(npx --no talaria completion bash)      (or write it to a file and source that)
  zsh   in ~/.zshrc:   source <(npx --no talaria completion zsh)
  fish  once:          npx --no talaria completion fish > ~/.config/fish/completions/talaria.fish

Example: source <(npx talaria completion bash)`,
    )
    .action(async (shell: string) => (await import('./commands/completion.ts')).completion(shell, terminal));

  program
    .command('complete', { hidden: true })
    .description('Prints what may stand at the last of these words, for the scripts of "talaria completion".')
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[]) => (await import('./commands/complete.ts')).complete(words, program, terminal, env, signal));

  return program;
}
