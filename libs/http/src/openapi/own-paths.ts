import { type JsonObject, type OpenApiDocument, type Operation } from './types.ts';

/** The tag of what the gateway answers itself. */
export const GATEWAY_TAG: JsonObject = { name: 'gateway', description: 'What the gateway says about itself.' };

const PROBLEM = { $ref: '#/components/responses/Problem' };

function about(name: string, summary: string, content: JsonObject, more: Readonly<Record<string, JsonObject>> = {}): Operation {
  return { operationId: `gateway.${name}`, tags: ['gateway'], summary, security: [], responses: { '200': { description: `${summary}.`, content }, ...more, default: PROBLEM } };
}

const status = (said: string): JsonObject => ({ 'application/json': { schema: { type: 'object', properties: { status: { const: said } }, required: ['status'] } } });

/** The paths that belong to the gateway itself. */
export function ownPaths(): OpenApiDocument['paths'] {
  return {
    '/healthz': { get: about('healthz', 'Says that the gateway is alive', status('ok')) },
    '/readyz': { get: about('readyz', 'Says that the gateway takes requests', status('ready'), { '503': { $ref: '#/components/responses/Unavailable' } }) },
    '/openapi.json': { get: about('openapi', 'This document', { 'application/json': { schema: { type: 'object' } } }, { '304': { description: 'It is still the one with the ETag that was sent.' } }) },
    '/docs': { get: about('docs', 'This document as a page', { 'text/html': { schema: { type: 'string' } } }, { '404': PROBLEM }) },
  };
}
