import type { Command } from 'commander';
import type { LoadOptions } from './load/load-options.ts';
import type { ProgramContext } from './program.ts';

const HELP = `
Calls begin at their times, whatever the answers do (an open loop), and latency counts from the time a call was intended to begin: a service
that stands still for a second shows in all calls of that second. Calls go the way those of a service go: balanced, retried, hedged and broken off by
the same policies. One call is made before the load, and if it fails that is all; it is number 0 for {{n}}.

The request is proto JSON, with {{n}} for the number of the call and {{uuid}} for another id each time. Progress goes to standard error,
the summary to standard output. Ctrl-C ends the load early, with the summary of what was measured. Put it on services of your own only.

Where: what "npx nx serve …" runs, found by platform.json in TALARIA_STATE_DIR (default .talaria in the clone), any platform by ETCD_ENDPOINTS
and TALARIA_SERVICE_KEY_FILE, or with --address any gRPC server that has reflection (without TLS).

Exit codes: 0 all calls succeeded; 1 some did not; 2 the command is wrong.

Examples:
  talaria load account.v1.AccountService/ListAccounts --rate 300 --duration 30s
  talaria load account.v1.AccountService/CreateAccount --rate 20 --duration 1m --data '{"description":"load {{n}}"}' --svg create.svg
  talaria load account.v1.AccountService/GetAccount --rate 500 --duration 10s --data @request.json --deadline 1s --json | jq .latency_ms.all.p99
  talaria load helloworld.Greeter/SayHello --rate 100 --duration 10s --data '{"name":"you"}' --address 127.0.0.1:50051`;

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

/** Adds `load`. */
export function addLoadCommand(program: Command, { terminal, env, signal, input }: ProgramContext): void {
  program
    .command('load')
    .description('Calls a method at a rate, whatever the answers do, and shows latencies and errors.')
    .argument('<contract/Method>', 'such as account.v1.AccountService/GetAccount; with one request')
    .requiredOption('--rate <calls>', 'calls a second, such as 300 or 0.5; a minute: 30/m')
    .option('--duration <time>', 'how long calls are begun: 500ms, 30s, 5m', '10s')
    .option('--data <json>', 'the request; "@file" reads a file, "-" standard input (default: {})')
    .option('--as <client>', 'for which client to act', 'dev')
    .option('--no-as', 'act for nobody: as the service talaria.cli alone')
    .option('--secret <secret>', 'the client\'s secret (default: <client>-secret, which is that of the dev clients)')
    .option('-H, --header <key: value>', 'metadata to send; as often as needed; a key that ends in -bin takes base64', collect)
    .option('--deadline <time>', 'how long each call may take (default: as its contract says, 10 s where that says nothing)')
    .option('--warmup <time>', 'the same load before it, which is not measured')
    .option('--arrivals <kind>', 'fixed: at equal distances; poisson: independently, as many users do', 'fixed')
    .option('--max-in-flight <calls>', 'what would be more than these at once is dropped, and counted as that', '10000')
    .option('--address <host:port>', 'of a gRPC server with reflection, instead of the platform')
    .option('--no-probe', 'makes no call before the load')
    .option('--allow-errors', 'exits with 0 also if calls failed')
    .option('--json', 'the result as JSON')
    .option('--svg <file>', 'writes a plot: latency over time and by percentile')
    .addHelpText('after', HELP)
    .action(async (name: string, options: LoadOptions) => {
      const [{ load }, given] = await Promise.all([import('./load/load.ts'), input ?? import('./input.ts').then(({ processInput }) => processInput())]);
      return load(name, options, { terminal, input: given, env, signal });
    });
}
