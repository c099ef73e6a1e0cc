import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Logger } from '@talaria/base';
import { notFound, unavailable } from '@talaria/errors';
import { serveDocs, type DocsViewer } from '../docs/serve-docs.ts';
import { type Route } from '../transcode/routes.ts';
import { answer, answerProblem } from './answer.ts';
import { answerCached } from './cached.ts';
import { HttpError, methodNotAllowed } from './http-error.ts';
import { type PublishedRoutes, type RouteTable } from './route-table.ts';
import { type GatewayRules } from './rules/gateway-rules.ts';

/** How contracts are described at `/openapi.json` and shown at `/docs`. */
export interface DocsOptions {
  /** The viewer's files. Without them there is `/openapi.json` alone. */
  readonly viewer?: DocsViewer;
  /** The package of the code generated from contracts, for samples of the typed client. Default `@talaria/contracts`. */
  readonly contractsPackage?: string;
}

/** What answers about the gateway itself need. */
export interface OwnAnswersOptions {
  readonly routes: RouteTable;
  readonly routesKnown: () => boolean;
  readonly isReady: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  readonly docs: DocsOptions | false;
  /** Which methods are deprecated. */
  readonly rules: GatewayRules;
  readonly log: Logger;
}

/** `/openapi.json` as text; made when it is asked for and kept until the contracts or the rules change. */
function describer(routes: RouteTable, docs: DocsOptions, rules: GatewayRules): () => Promise<{ readonly text: string; readonly etag: string }> {
  let made: { readonly of: readonly PublishedRoutes[]; readonly by: GatewayRules['current']; readonly text: string; readonly etag: string } | undefined;
  return async () => {
    // Most gateways are never asked.
    const { openApiDocument } = await import('../openapi/document.ts');
    const of = routes.published();
    const by = rules.current;
    if (made?.of !== of || made.by !== by) {
      const isDeprecated = ({ service, contract, desc }: Route): boolean => rules.isDeprecated({ service, contract, method: desc.name });
      const text = JSON.stringify(openApiDocument(of, { ...docs, isDeprecated }));
      made = { of, by, text, etag: `"${createHash('sha256').update(text).digest('base64url')}"` };
    }
    return made;
  };
}

/** Makes the function that answers reserved paths (`isReservedPath`): probes, and what describes the contracts. */
export function ownAnswers({ routes, routesKnown, isReady, isDraining, docs, rules, log }: OwnAnswersOptions): (path: string, req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const described = docs === false ? undefined : describer(routes, docs, rules);
  const shown = docs === false || !docs.viewer ? undefined : serveDocs(docs.viewer, log);
  const nothing = (path: string): HttpError => {
    const why = docs === false ? 'The documentation is turned off.' : path === '/docs' ? 'This gateway came without a viewer: /openapi.json describes the same.' : `There is nothing at ${path.slice(0, 200)}.`;
    return new HttpError(notFound('route', why));
  };

  const probe = async (path: string, res: ServerResponse): Promise<void> => {
    const well = path === '/healthz' || (await isReady());
    if (well) answer(res, 200, { 'content-type': 'application/json' }, JSON.stringify({ status: path === '/healthz' ? 'ok' : 'ready' }));
    else answerProblem(res, new HttpError(unavailable('not_ready', isDraining() ? 'The gateway is going away.' : 'Not everything is there yet.')), undefined);
  };

  const describe = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (!described) return answerProblem(res, nothing('/openapi.json'), undefined);
    if (!routesKnown()) return answerProblem(res, new HttpError(unavailable('routes', 'The routes are not known yet.'), 503, { 'retry-after': '1' }), undefined);
    const { text, etag } = await described();
    answerCached(req, res, { type: 'application/json', etag, cacheControl: 'no-cache' }, text);
  };

  return async (path, req, res) => {
    req.resume();
    if (req.method !== 'GET' && req.method !== 'HEAD') return answerProblem(res, methodNotAllowed(req.method ?? '', ['GET', 'HEAD']), undefined);
    if (path === '/healthz' || path === '/readyz') return probe(path, res);
    if (path === '/openapi.json') return describe(req, res);
    if (!(await shown?.(path, req, res))) answerProblem(res, nothing(path), undefined);
  };
}
