import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fixedSetting, sleep, type LiveSetting, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import { isReservedPath } from '../transcode/reserved.ts';
import { type ContractSource } from '../transcode/routes.ts';
import { answerProblem } from './answer.ts';
import { discardBody } from './body.ts';
import { type ClientFactory } from './call.ts';
import { type BaggageFor } from './edge-baggage.ts';
import { protocolProblem } from './expectations.ts';
import { requestHandler, type Authenticated } from './handle.ts';
import { limitSettings, type GatewayLimits } from './limits.ts';
import { limitedServer, listenAll, type Listening, type ServerTimeouts } from './listen.ts';
import { ownAnswers, type DocsOptions } from './own-answers.ts';
import { routeTable } from './route-table.ts';
import { gatewayRules } from './rules/gateway-rules.ts';
import { type RuleStats } from './rules/rule-counters.ts';
import { type GatewayRule } from './rules/rule.ts';
import { splitTarget } from './target.ts';

/** How a gateway is made. */
export interface GatewayOptions extends GatewayLimits {
  /** What is published now. With `ready`, unknown paths are 503 instead of 404 until that resolves. */
  readonly contracts: LiveSetting<readonly ContractSource[]> & { readonly ready?: Promise<void> };
  /** Makes clients for contracts: `service.client`. */
  readonly client: ClientFactory;
  /** Says what a token stands for; rejects with `unauthorized.…`, or with `unavailable.…` when that cannot be said now. */
  readonly authenticate: (token: string) => Promise<Authenticated>;
  /** Whether all that the gateway is there for works. Asked until it says so once; after that readiness is about the gateway alone. */
  readonly ready?: () => boolean | Promise<boolean>;
  readonly log: Logger;
  /** `localhost` is both loopbacks. Default `localhost`. */
  readonly host?: string;
  /** Default 8080; 0 takes a free one. */
  readonly port?: number;
  /** Names of baggage that strangers may send. Default none. Those that begin with `talaria-` are the platform's own, and never taken from them. */
  readonly allowedBaggage?: readonly string[];
  /**
   * Baggage that the gateway itself gives a call, by names that begin with `talaria-`: asked once a call, when it is known who calls and
   * for what. If it throws, the call goes on without. Default: none.
   */
  readonly baggageFor?: BaggageFor;
  /** Which versions principals get, how many calls they may make, what is deprecated; in order. They may change at any time. Default: none. */
  readonly rules?: LiveSetting<readonly GatewayRule[]>;
  readonly timeouts?: ServerTimeouts;
  /** What describes the contracts: `/openapi.json`, and `/docs` if there is a viewer. false turns both off. Default: no viewer. */
  readonly docs?: DocsOptions | false;
}

/** An HTTP server in front of the contracts. */
export interface Gateway {
  /** Resolves with where it listens. Rejects with one sentence that names the fix. */
  listen(): Promise<{ readonly port: number; readonly addresses: readonly string[] }>;
  /** Turns readiness off, refuses new connections, waits up to `limitMs` for what is in flight, then ends it. Idempotent. */
  drain(limitMs: number): Promise<void>;
  /** What this gateway has counted for each rule since it is as it is, in the order of the rules. */
  ruleStats(): readonly RuleStats[];
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Makes a gateway; it routes as soon as it listens. */
export function createGateway(options: GatewayOptions): Gateway {
  const { log, contracts } = options;
  const routes = routeTable(contracts, { log });
  let routesKnown = contracts.ready === undefined;
  contracts.ready?.then(() => (routesKnown = true)).catch((err: unknown) => log.error('the contracts cannot be read', { err }));
  const rules = gatewayRules(options.rules ?? fixedSetting([]));
  const handle = requestHandler({
    routes,
    routesKnown: () => routesKnown,
    client: options.client,
    authenticate: options.authenticate,
    log,
    limits: limitSettings(options),
    allowedBaggage: options.allowedBaggage ?? [],
    baggageFor: options.baggageFor,
    rules,
  });

  let wasReady = false;
  let draining: Promise<void> | undefined;
  let listening: Listening | undefined;

  const isReady = async (): Promise<boolean> => {
    if (draining) return false;
    try {
      wasReady ||= (await options.ready?.()) ?? true;
    } catch (err) {
      log.debug('not ready', { err });
    }
    return wasReady;
  };

  const answerOwn = ownAnswers({ routes, routesKnown: () => routesKnown, isReady, isDraining: () => draining !== undefined, docs: options.docs ?? {}, rules, log });

  const inFlight = new Set<ServerResponse>();
  const onRequest = (req: IncomingMessage, res: ServerResponse, continueFirst: boolean): void => {
    if (draining) res.setHeader('connection', 'close');
    inFlight.add(res);
    res.on('close', () => {
      inFlight.delete(res);
      // Node closes connections that are idle when its server closes, and not those that become so later.
      if (draining) setImmediate(() => listening?.servers.forEach((server) => server.closeIdleConnections()));
    });
    const problem = protocolProblem(req);
    if (problem) {
      answerProblem(res, problem, undefined);
      discardBody(req);
      return;
    }
    const [path] = splitTarget(req.url ?? '/');
    if (!isReservedPath(path)) handle(req, res, continueFirst);
    else
      void answerOwn(path, req, res).catch((err: unknown) => {
        log.error('answering about the gateway itself failed', { path, err });
        res.destroy();
      });
  };

  const end = async (limitMs: number): Promise<void> => {
    routes.close();
    if (!listening) return;
    const { servers } = listening;
    for (const res of inFlight) if (!res.headersSent) res.setHeader('connection', 'close');
    const all = Promise.all(servers.map(closed)); // Closes idle connections too.
    const done = new AbortController();
    const late = sleep(limitMs, { signal: done.signal }).then(
      () => {
        log.warn('requests still in flight are cut off', { limitMs });
        for (const server of servers) server.closeAllConnections();
      },
      () => {},
    );
    await all;
    done.abort();
    await late;
  };

  return {
    async listen() {
      listening = await detached(() => listenAll(() => limitedServer(onRequest, options.timeouts), options.host ?? 'localhost', options.port ?? 8080));
      const { port, addresses } = listening;
      return { port, addresses };
    },
    drain: (limitMs) => (draining ??= end(limitMs)),
    ruleStats: () => rules.stats(),
  };
}
