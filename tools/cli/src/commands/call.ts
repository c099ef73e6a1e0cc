import type { Message } from '@bufbuild/protobuf';
import { ServiceError } from '@talaria/errors';
import { Metadata, type ClientMiddleware } from '@talaria/rpc';
import { findMethod, methodName, type FoundMethod, type MethodName } from '../contract-methods.ts';
import { CALLED, deadlineMsOf, dynamicDefinition } from '../dynamic-definition.ts';
import { exampleOf } from '../example.ts';
import { CallFailure } from '../failure.ts';
import type { Input } from '../input.ts';
import { metadataFrom } from '../metadata.ts';
import { withPlatform } from '../platform.ts';
import { jsonOf } from '../proto-json.ts';
import { withRegistry } from '../registry.ts';
import { jsonValues, requestStream, singleRequest, takesStream, type Source } from '../requests.ts';
import { printable, type Terminal } from '../terminal.ts';
import { timeLimitMs } from '../time-limit.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** What the user may say. */
export interface CallOptions {
  /** A client; false: for nobody. */
  readonly as: string | false;
  readonly secret?: string;
  /** As `timeLimitMs` reads it. */
  readonly timeout?: string;
  /** The id of the only instance that will do. */
  readonly instance?: string;
  /** The only version that will do. */
  readonly version?: string;
  /** Lines such as `x-tenant: blue`. */
  readonly header?: readonly string[];
  /** One line a message, wherever it goes. */
  readonly compact?: boolean;
  /** Print a request to fill in, and call nothing. */
  readonly example?: boolean;
}

/** What a command that calls works with. */
export interface CallEnvironment {
  readonly terminal: Terminal;
  readonly input: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user wants to stop. */
  readonly signal: AbortSignal;
}

type Limits = { readonly timeoutMs?: number; readonly signal: AbortSignal; readonly instance?: string; readonly version?: string };
type AnyClient = { readonly [CALLED]: (request: unknown, limits: Limits) => Promise<Message> & AsyncIterable<Message> };

/** A conversation lasts as long as it lasts: the greatest time that a timer takes. */
const ENDLESS_MS = 2_000_000_000;
/** Whoever waits this long for standard input wants to know for what. */
const PATIENCE_MS = 1500;

/** `talaria call <contract>/<Method> [json]`: prints each response as JSON, as it arrives. */
export async function call(target: string, json: string | undefined, options: CallOptions, environment: CallEnvironment): Promise<void> {
  const { terminal, env, signal } = environment;
  const timeoutMs = options.timeout === undefined ? undefined : timeLimitMs(options.timeout);
  const headers = metadataFrom(options.header ?? []);
  const wanted = methodName(target);
  // What is wrong with the text is said before anything else is tried.
  if (json !== undefined && json !== '-') for await (const _ of jsonValues({ argument: json }));

  const ended = AbortSignal.any([signal, ...(terminal.gone ? [terminal.gone] : [])]);
  const { found, running } = await lookUp(wanted, env, ended);
  if (options.example) return terminal.out(`${JSON.stringify(exampleOf(found.method.input), null, options.compact ? undefined : 2)}\n`);

  const as = options.as || undefined;
  const seen: { traceId?: string | undefined } = {};
  try {
    await withPlatform({ as, secret: options.secret, env, signal: ended }, async ({ client }) => {
      const called = (client(dynamicDefinition(found.method), { middleware: observed(headers, seen) }) as unknown as AnyClient)[CALLED];
      await converse(found, called, json, timeoutMs, options, { ...environment, signal: ended });
    });
  } catch (error) {
    // Nobody reads the rest: that ends it, and is no failure.
    if (terminal.gone?.aborted) return;
    if (signal.aborted || !(error instanceof ServiceError)) throw error;
    throw new CallFailure(error, { as, traceId: seen.traceId, running });
  }
}

/** The method, and each contract that has instances with its service. */
export function lookUp(wanted: MethodName, env: CallEnvironment['env'], signal: AbortSignal): Promise<{ readonly found: FoundMethod; readonly running: ReadonlyMap<string, string> }> {
  return withRegistry({ env, signal }, async ({ services, contracts }) => {
    const running = new Map([...services].filter(([, instances]) => instances.length > 0).map(([contract, instances]) => [contract, instances[0]?.service ?? '']));
    return { found: findMethod(wanted, [...(await contracts()).values()]), running };
  });
}

/** Sends the metadata, which goes before what the platform itself would send, and notes the trace. */
function observed(headers: Metadata, seen: { traceId?: string | undefined }): ClientMiddleware {
  return async function* observe(call, options) {
    const metadata = Metadata(options.metadata);
    for (const [key, values] of headers) metadata.set(key, values as string[]);
    seen.traceId = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(metadata.get('traceparent')))?.[1];
    return yield* call.next(call.request, { ...options, metadata });
  };
}

/** Makes the call and prints what comes back. */
async function converse({ method, registry }: FoundMethod, called: AnyClient[typeof CALLED], json: string | undefined, timeoutMs: number | undefined, options: CallOptions, environment: CallEnvironment): Promise<void> {
  const { terminal, input, signal } = environment;
  const streams = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
  const oneLine = options.compact || (streams && !terminal.interactive);
  const print = async (message: Message): Promise<void> => {
    terminal.out(`${printable(JSON.stringify(jsonOf(method.output, message, registry), null, oneLine ? undefined : 2))}\n`);
    await terminal.room?.();
  };
  const source = sourceOf(json, takesStream(method), environment);
  const broken = new AbortController();
  // Conversations have no end of their own; everything else has the client's.
  const endless = method.methodKind !== 'unary' && deadlineMsOf(method) === undefined;
  const limit = timeoutMs ?? (endless ? ENDLESS_MS : undefined);
  const { instance, version } = options;
  const target = { ...(instance === undefined ? {} : { instance }), ...(version === undefined ? {} : { version }) };
  const limits = { ...target, ...(limit === undefined ? {} : { timeoutMs: limit }), signal: AbortSignal.any([signal, broken.signal]) };
  try {
    const argument = takesStream(method) ? untilBroken(requestStream(method.input, registry, source), broken) : await unlessAborted(singleRequest(method, registry, source), signal);
    if (streams) for await (const message of called(argument, limits)) await print(message);
    else await print(await called(argument, limits));
  } catch (error) {
    // A request that cannot be sent ends the call; what the service says of that end is beside the point.
    throw broken.signal.aborted ? broken.signal.reason : error;
  } finally {
    input.close();
  }
}

/** The argument, or standard input where that is asked for or sensible. */
function sourceOf(json: string | undefined, stream: boolean, { input, terminal }: CallEnvironment): Source {
  if (json !== undefined && json !== '-') return { argument: json };
  if (json === undefined && !stream && input.kind !== 'pipe') return { argument: '' };
  const what = stream ? 'requests, one JSON value after the other' : 'the request';
  if (input.kind === 'terminal') terminal.err(`Reading ${what}, from the terminal; Ctrl-D ends.\n`);
  else return { input: impatient(input, () => terminal.err(`Waiting for ${what} on standard input (an argument, such as '{}', goes before it).\n`)) };
  return { input };
}

/** Calls `complain` once if nothing arrives for a while. */
function impatient(input: Input, complain: () => void): Input {
  return {
    ...input,
    async *text() {
      const timer = setTimeout(complain, PATIENCE_MS);
      try {
        for await (const text of input.text()) {
          clearTimeout(timer);
          yield text;
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Aborts `broken` with the error that ends `items`. */
async function* untilBroken<T>(items: AsyncIterable<T>, broken: AbortController): AsyncGenerator<T, void, undefined> {
  try {
    yield* items;
  } catch (error) {
    broken.abort(error);
    throw error;
  }
}
