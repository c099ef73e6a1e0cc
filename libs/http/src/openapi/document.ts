import { createHash } from 'node:crypto';
import { type DescMethod, type Registry } from '@bufbuild/protobuf';
import { accessScopes, type Route } from '../transcode/routes.ts';
import { commentOf } from './comments.ts';
import { describeOperation } from './operation.ts';
import { openApiPath } from './path-template.ts';
import { createComponents, type Components } from './schemas/components.ts';
import { GATEWAY_TAG, ownPaths } from './own-paths.ts';
import { BASE_URL } from './samples/shell.ts';
import { HEADERS, RESPONSES, SHARED_SCHEMAS } from './shared-components.ts';
import { type JsonObject, type OpenApiDocument, type Operation } from './types.ts';

/** What a document is made from: the routes of one contract, in the order of the contract. */
export interface DescribedContract {
  readonly contract: string;
  readonly routes: readonly Route[];
}

/** How a document is made. */
export interface DocumentOptions {
  /** The package of the code generated from contracts, for the samples of the typed client. Default `@talaria/contracts`. */
  readonly contractsPackage?: string;
  /** Whether a method is deprecated though its contract does not say so. Default: none is. */
  readonly isDeprecated?: (route: Route) => boolean;
}

const NAMED = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);
/** What a route for any method is described as. */
const ANY = ['get', 'put', 'post', 'delete', 'patch'];

const INTRODUCTION = `Every operation is a gRPC method of a contract; the same call can be made over gRPC.

- Bodies are JSON after the proto3 mapping, or forms (\`a.b=1\` for fields of fields). Names are those of the proto file or lower camel case; unknown fields are refused.
- Integers of 64 bits are strings, unless their schema says otherwise; numbers are taken as well.
- Errors are RFC 9457 documents, below \`/oauth2/\` those of RFC 6749.
- Answers to HEAD are those to GET without their body.

The samples take a token from \`$TOKEN\`:

\`\`\`
TOKEN=$(curl -sS -u dev:dev-secret -d grant_type=client_credentials ${BASE_URL}/oauth2/token | jq -r .access_token)
\`\`\``;

interface Place {
  readonly names: readonly string[];
  readonly path: string;
  readonly operations: Map<string, Operation>;
}

/** Numbers the routes of a method, so that each operation has an id of its own: the first has none. */
function operationIds(): (method: DescMethod) => string {
  const seen = new Map<string, number>();
  return (method) => {
    const name = `${method.parent.typeName}.${method.name}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}_${String(count)}`;
  };
}

/** A route, with what its description needs. */
interface Described {
  readonly route: Route;
  readonly operationId: string;
  readonly schemas: ReturnType<Components['context']>;
}

/** All routes, in the order in which the router prefers them: of two alike the first counts, and one for any method counts last. */
function preferred(contracts: readonly DescribedContract[], components: Components): readonly Described[] {
  const idFor = operationIds();
  const described = contracts.flatMap(({ contract, routes }) => {
    const contexts = new Map<Registry, Described['schemas']>();
    return routes.map((route): Described => {
      const schemas = contexts.get(route.registry) ?? components.context(contract, route.registry);
      contexts.set(route.registry, schemas);
      return { route, operationId: idFor(route.desc), schemas };
    });
  });
  const forAny = ({ route }: Described): boolean => route.method === '*';
  return [...described.filter((one) => !forAny(one)), ...described.filter(forAny)];
}

function describeRoutes(contracts: readonly DescribedContract[], components: Components, { contractsPackage = '@talaria/contracts', isDeprecated = () => false }: DocumentOptions): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { route, operationId, schemas } of preferred(contracts, components)) {
    const bare = openApiPath(route.template);
    const place = places.get(bare.shape) ?? { names: bare.params.map(({ name }) => name), path: bare.path, operations: new Map<string, Operation>() };
    const operation = describeOperation(route, { operationId, place: openApiPath(route.template, place.names), schemas, scopes: accessScopes(route), contractsPackage, deprecated: route.desc.deprecated || isDeprecated(route) });
    if (route.method !== '*') {
      if (!place.operations.has(route.method)) place.operations.set(route.method, operation);
    } else {
      for (const method of ANY) if (!place.operations.has(method.toUpperCase())) place.operations.set(method.toUpperCase(), { ...operation, operationId: `${operationId}_${method}` });
    }
    places.set(bare.shape, place);
  }
  return places;
}

function pathsOf(places: Map<string, Place>): OpenApiDocument['paths'] {
  const paths = [...places.values()].map(({ path, operations }) => {
    const named = [...operations].filter(([method]) => NAMED.has(method.toLowerCase()));
    const others = [...operations].filter(([method]) => !NAMED.has(method.toLowerCase()));
    return [path, { ...Object.fromEntries(named.map(([method, one]) => [method.toLowerCase(), one])), ...(others.length > 0 ? { 'x-additionalOperations': Object.fromEntries(others) } : {}) }] as const;
  });
  return Object.fromEntries(paths);
}

function tagsOf(contracts: readonly DescribedContract[]): readonly JsonObject[] {
  return contracts
    .filter(({ routes }) => routes.length > 0)
    .map(({ contract, routes }) => {
      const service = routes[0]?.desc.parent;
      const description = service ? commentOf(service) : '';
      return { name: contract, ...(description === '' ? {} : { description }) };
    });
}

function securitySchemes(contracts: readonly DescribedContract[]): JsonObject {
  const scopes = new Map<string, Set<string>>();
  for (const route of contracts.flatMap(({ routes }) => routes)) {
    for (const scope of accessScopes(route)) scopes.set(scope, (scopes.get(scope) ?? new Set()).add(route.contract));
  }
  const described = [...scopes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([scope, users]) => [scope, `For ${[...users].sort().join(', ')}.`] as const);
  return {
    oauth2: { type: 'oauth2', description: 'The token of a client, by RFC 6749, section 4.4.', flows: { clientCredentials: { tokenUrl: '/oauth2/token', scopes: Object.fromEntries(described) } } },
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token that `/oauth2/token` has issued.' },
    client: { type: 'http', scheme: 'basic', description: 'The id and the secret of a client, each form-encoded (RFC 6749, section 2.3.1); or send both in the form.' },
  };
}

/** Describes the routes of contracts as OpenAPI 3.1: the same document for the same contracts, whatever their order. */
export function openApiDocument(contracts: readonly DescribedContract[], options: DocumentOptions = {}): OpenApiDocument {
  const ordered = [...contracts].sort((a, b) => (a.contract < b.contract ? -1 : 1));
  const components = createComponents();
  const paths = components.resolve(pathsOf(describeRoutes(ordered, components, options)));
  const tags = tagsOf(ordered);
  const schemas = { ...components.schemas(), ...SHARED_SCHEMAS };
  const version = createHash('sha256').update(JSON.stringify([paths, tags, schemas])).digest('hex').slice(0, 12);
  return {
    openapi: '3.1.1',
    info: { title: 'HTTP API', version, description: INTRODUCTION },
    servers: [{ url: '/' }],
    tags: [...tags, GATEWAY_TAG],
    paths: { ...paths, ...ownPaths() },
    components: { schemas, responses: RESPONSES, headers: HEADERS, securitySchemes: securitySchemes(ordered) as Readonly<Record<string, JsonObject>> },
  };
}
