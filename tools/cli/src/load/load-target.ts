import type { Message } from '@bufbuild/protobuf';
import { createConnector, grpcTransport, Metadata, type ClientMiddleware, type Resolver } from '@talaria/rpc';
import { CliError } from '../cli-error.ts';
import { lookUp, type CallEnvironment } from '../commands/call.ts';
import { methodName, type FoundMethod } from '../contract-methods.ts';
import { CALLED, dynamicDefinition } from '../dynamic-definition.ts';
import { withPlatform } from '../platform.ts';

/** What load is put on. */
export interface LoadTarget {
  readonly found: FoundMethod;
  /** Makes one call, and reads all that comes back. */
  call(request: Message): Promise<void>;
}

/** How its calls are made. */
export interface LoadTargetOptions {
  readonly as: string | undefined;
  readonly secret: string | undefined;
  readonly headers: Metadata;
  readonly deadlineMs: number | undefined;
  /** `host:port` of a server that is not on the platform. */
  readonly address: string | undefined;
}

type AnyCall = (request: Message, options?: { readonly timeoutMs?: number }) => Promise<Message> & AsyncIterable<Message>;

const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s/:[\]]+):\d{1,5}$/;

function withHeaders(headers: Metadata): ClientMiddleware {
  return async function* withHeaders(call, options) {
    const metadata = Metadata(options.metadata);
    for (const [key, values] of headers) metadata.set(key, values as string[]);
    return yield* call.next(call.request, { ...options, metadata });
  };
}

function targetOf(found: FoundMethod, client: unknown, deadlineMs: number | undefined): LoadTarget {
  const called = (client as { readonly [CALLED]: AnyCall })[CALLED];
  const options = deadlineMs === undefined ? undefined : { timeoutMs: deadlineMs };
  const streams = found.method.methodKind === 'server_streaming';
  return {
    found,
    async call(request) {
      if (!streams) await called(request, options);
      else for await (const _ of called(request, options));
    },
  };
}

function refuseStreams({ method }: FoundMethod): void {
  if (method.methodKind !== 'unary' && method.methodKind !== 'server_streaming')
    throw new CliError(`${method.parent.typeName}/${method.name} takes a stream of requests, and how long such a call takes is up to whoever sends it: load is for methods with one request.`, 2);
}

const nothingGiven = (headers: Metadata): boolean => [...headers].length === 0;

/** Runs `use` with what the user named: a method of the platform by its contract, or of the server at `address` by its reflection. `signal` ends the setting up. */
export async function withLoadTarget<T>(name: string, { as, secret, headers, deadlineMs, address }: LoadTargetOptions, { env, signal }: Pick<CallEnvironment, 'env' | 'signal'>, use: (target: LoadTarget, running: ReadonlyMap<string, string> | undefined) => Promise<T>): Promise<T> {
  const wanted = methodName(name);
  const middleware = nothingGiven(headers) ? undefined : withHeaders(headers);
  if (address === undefined) {
    const { found, running } = await lookUp(wanted, env, signal);
    refuseStreams(found);
    return withPlatform({ as, secret, env, signal }, ({ client }) => use(targetOf(found, client(dynamicDefinition(found.method), middleware ? { middleware } : {}), deadlineMs), running));
  }
  if (!HOST_AND_PORT.test(address)) throw new CliError(`--address ${address} is none: write host:port, such as 127.0.0.1:50051.`, 2);
  const at = `h2c://${address}`;
  const resolver: Resolver = { resolve: () => ({ endpoints: [{ id: at, addresses: [at] }], onChange: () => () => {}, close: () => {} }) };
  const connector = createConnector({ resolver, transports: [grpcTransport()], picker: () => ({ pick: ([only]) => only as NonNullable<typeof only> }), ...(middleware ? { middleware: [middleware] } : {}) });
  try {
    // Reflection itself wants no metadata of the user's, and takes it.
    const { reflectMethod } = await import('./reflection.ts');
    const found = await reflectMethod(wanted, address, connector, signal);
    refuseStreams(found);
    return await use(targetOf(found, connector.client(dynamicDefinition(found.method)), deadlineMs), undefined);
  } finally {
    await connector.close();
  }
}
