import { text } from 'node:stream/consumers';
import type { Message } from '@bufbuild/protobuf';
import { CliError } from '../cli-error.ts';
import { findMethod, methodName } from '../contract-methods.ts';
import { CALLED, dynamicDefinition } from '../dynamic-definition.ts';
import { fromEtcd, withPlatform } from '../platform.ts';
import { jsonOf, messageFrom, readJson } from '../proto-json.ts';
import { printable, type Terminal } from '../terminal.ts';

/** What the user may say. */
export interface CallOptions {
  /** A client; false: for nobody. */
  readonly as: string | false;
  readonly secret?: string;
  /** In seconds. */
  readonly timeout: string;
}

type Env = Readonly<Record<string, string | undefined>>;
type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal };
type AnyClient = { readonly [CALLED]: (request: unknown, limits: Limits) => Promise<Message> & AsyncIterable<Message> };

/** `talaria call <contract>/<Method> [json]`: prints each response as JSON. */
export async function call(target: string, json: string, options: CallOptions, terminal: Terminal, env: Env, signal: AbortSignal): Promise<void> {
  const timeoutMs = Number(options.timeout) * 1000;
  if (!(timeoutMs > 0)) throw new CliError(`--timeout ${options.timeout} is no time: give seconds, such as --timeout 10.`, 2);
  const wanted = methodName(target);
  const request = readJson(json === '-' ? await text(process.stdin) : json);

  await withPlatform({ as: options.as || undefined, secret: options.secret, env }, async ({ service, client, platform }) => {
    const { contracts } = service;
    await fromEtcd(env['ETCD_ENDPOINTS'] || platform?.etcd_endpoints || '', contracts.ready);
    const { method, registry } = findMethod(wanted, contracts.get());
    const { input, output, methodKind } = method;
    const clientStream = methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
    const requests = (clientStream && Array.isArray(request) ? request : [request]).map((each) => messageFrom(input, each, registry));
    const called = (client(dynamicDefinition(method)) as unknown as AnyClient)[CALLED];
    const limits = { timeoutMs, signal };
    const print = (message: Message): void => terminal.out(`${printable(JSON.stringify(jsonOf(output, message, registry), null, 2))}\n`);
    const argument = clientStream ? iterate(requests) : requests[0];
    if (methodKind === 'server_streaming' || methodKind === 'bidi_streaming') {
      for await (const message of called(argument, limits)) print(message);
    } else {
      print(await called(argument, limits));
    }
  });
}

 
async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
