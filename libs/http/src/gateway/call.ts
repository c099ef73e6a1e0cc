import { type ServerResponse } from 'node:http';
import { type Message } from '@bufbuild/protobuf';
import { type Endpoint, type Metadata } from '@talaria/rpc';
import { type Route } from '../transcode/routes.ts';
import { writeJson } from '../transcode/to-json.ts';
import { answerJson, beginLines } from './answer.ts';
import { dynamicDefinition, type DynamicDefinition } from './definition.ts';

/** The trailer in which a service says that it answered without one that is gone, and the header in which the gateway does. */
const FALLBACK_KEY = 'x-talaria-fallback';
const FALLBACK_HEADER = 'talaria-fallback';

/** Makes clients from definitions: `service.client`, or a connector's. */
export type ClientFactory = (definition: DynamicDefinition) => unknown;

/** What the gateway says of its calls. */
export interface RouteCallOptions {
  readonly signal: AbortSignal;
  /** Told where each attempt goes. */
  readonly onAttempt?: ((endpoint: Endpoint) => void) | undefined;
}

type Method = (request: Message, options: RouteCallOptions & { readonly onTrailer?: (trailer: Metadata) => void }) => Promise<Message> | AsyncIterable<Message>;

/** The client of a route's contract, made once for each version of its descriptors. */
export function clientsOf(factory: ClientFactory): (route: Route) => Method {
  const clients = new WeakMap<object, Record<string, Method>>();
  return (route) => {
    const service = route.desc.parent;
    const client = clients.get(service) ?? (factory(dynamicDefinition(service)) as Record<string, Method>);
    clients.set(service, client);
    const method = client[route.desc.localName];
    if (!method) throw new Error(`the client of ${service.typeName} lacks ${route.desc.localName}`);
    return method.bind(client);
  };
}

/** Resolves when the client took what was written, or is gone. */
function writable(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

/** Answers with one message a line, as fast as the client reads. A stream that breaks is cut off, never ended as if it were whole. */
async function answerStream(route: Route, responses: AsyncIterable<Message>, res: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    for await (const response of responses) {
      const line = writeJson(route.desc.output, response, { registry: route.registry, only: route.responseBody });
      if (signal.aborted || res.destroyed) return;
      if (!res.headersSent) beginLines(res);
      if (!res.write(`${line}\n`)) await writable(res);
    }
  } catch (error) {
    if (res.headersSent) res.destroy();
    throw error;
  }
  if (!res.headersSent) beginLines(res);
  res.end();
}

/** Calls a route's method and answers with what it answers. Throws what it throws. */
export async function callRoute(route: Route, method: Method, request: Message, res: ServerResponse, options: RouteCallOptions, headers: Readonly<Record<string, string>>): Promise<void> {
  const onTrailer = (trailer: Metadata): void => {
    const used = trailer.get(FALLBACK_KEY);
    if (typeof used === 'string' && !res.headersSent) res.setHeader(FALLBACK_HEADER, used);
  };
  const answered = method(request, { ...options, onTrailer });
  if (Symbol.asyncIterator in answered) {
    await answerStream(route, answered, res, options.signal);
    return;
  }
  answerJson(res, writeJson(route.desc.output, await answered, { registry: route.registry, only: route.responseBody }), headers);
}
