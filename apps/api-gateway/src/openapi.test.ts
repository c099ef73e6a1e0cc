import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { generateTokenKey, signAccessToken, staticKeys, tokenKeyFrom, type KeySource } from '@talaria/auth';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { TransactionServiceDefinition } from '@talaria/contracts/transaction/v1/transaction';
import { WebhookApiServiceDefinition } from '@talaria/contracts/webhook/api/v1/webhook_api';
import { createPlatform, eventually, type TestPlatform } from '@talaria/testing';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { httpEdge, type HttpEdge } from './edge.ts';
import { settings } from './settings.ts';

interface Schema {
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
}
interface Content {
  readonly schema: Schema;
  readonly example?: Readonly<Record<string, unknown>>;
}
interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const principal = { id: 'user_peter', clientId: 'client_1', scopes: ['accounts:read', 'accounts:write', 'transactions:read', 'transactions:write', 'webhooks:read', 'webhooks:write'] };
const created = new Date(0);

/** A gateway before stand-ins for all public contracts, which hold requests to the contracts' rules as real services do. */
describe('the document of the example apps', () => {
  let platform: TestPlatform;
  let edge: HttpEdge;
  let token: string;
  let document: Document;
  let compile: (schema: Schema) => ValidateFunction;

  before(async () => {
    platform = await createPlatform({ listen: 'h2c' });
    const account = { id: 'acc_1', description: 'Peter Pan', created };
    const transaction = { id: 'tx_1', accountId: 'acc_1', amount: -520n, currency: 'GBP', description: 'Coffee', created, dedupeId: '' };
    const webhook = { id: 'webhook_1', accountId: 'acc_1', url: 'https://example.com/', secret: undefined };
    platform.service({ name: 'service.account' }).add(AccountServiceDefinition, {
      createAccount: async () => ({ account }),
      getAccount: async () => ({ account }),
      listAccounts: async () => ({ accounts: [account] }),
    });
    platform.service({ name: 'service.transaction' }).add(TransactionServiceDefinition, {
      recordTransaction: async () => ({ transaction }),
      getTransaction: async () => ({ transaction }),
      listTransactions: async () => ({ transactions: [transaction] }),
    });
    platform.service({ name: 'api.webhook' }).add(WebhookApiServiceDefinition, {
      registerWebhook: async () => ({ webhook: { ...webhook, secret: 'whsec_1' } }),
      listWebhooks: async () => ({ webhooks: [webhook] }),
      deleteWebhook: async () => ({}),
    });
    platform.service({ name: 'service.auth' }).add(AuthServiceDefinition, {
      exchangeToken: async () => ({ passport: await platform.passport(principal), expiresIn: 240 }),
      issueToken: async () => ({ accessToken: 'token', tokenType: 'Bearer', expiresIn: 60, scope: '' }),
      getKeys: async () => ({ jwks: '{"keys":[]}' }),
      whoAmI: async () => ({ authenticated: true, clientId: 'client_1', userId: 'user_peter', scopes: [], caller: 'api.gateway' }),
    });
    const pair = await generateTokenKey();
    const customers = await staticKeys({ keys: [pair.publicJwk] });
    const keys: KeySource = {
      find: async (kid, options) => (await customers.find(kid, options)) ?? platform.keys.find(kid, options),
      keys: () => [...customers.keys(), ...platform.keys.keys()],
    };
    const seconds = Math.floor(Date.now() / 1000);
    token = await signAccessToken(await tokenKeyFrom(pair.privateJwk), { principal, issuedAt: seconds - 10, expiresAt: seconds + 3600, id: 'token_1' });
    const gateway = platform.service({ name: 'api.gateway', edge: true, platform: { env: { PORT: '0' }, keys }, capabilities: [{ name: 'http', checkers: [], start: () => edge.start(), stop: () => edge.stop() }] });
    edge = httpEdge(gateway, gateway.settings(settings));
    await platform.start();
    await eventually(async () => {
      document = (await (await fetch(`${edge.url ?? ''}/openapi.json`)).json()) as Document;
      return Object.keys(document.paths ?? {}).length === 12;
    });
    const ajv = new Ajv2020({ strict: false, formats: { ...fullFormats, uint32: true, uint64: true } });
    ajv.addSchema({ $id: 'doc:', components: document.components });
    compile = (schema) => ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"doc:#/components/')) as object);
  });
  after(() => platform.stop());

  interface Described {
    readonly method: string;
    readonly path: string;
    readonly operation: Operation;
  }
  const described = (): readonly Described[] => Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })));

  /** Sends the examples of an operation, without the part that `left` names. */
  const send = ({ method, path, operation }: Described, left?: string): Promise<Response> => {
    const parameters = (operation.parameters ?? []).filter(({ name, example }) => example !== undefined && name !== left);
    const target = path.replaceAll(/\{([^}]*)\}/g, (_, name: string) => encodeURIComponent(String(parameters.find((one) => one.name === name)?.example)));
    const query = new URLSearchParams(parameters.filter((one) => one.in === 'query').map(({ name, example }): [string, string] => [name, String(example)]));
    const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    const body = content && Object.fromEntries(Object.entries(content.example ?? {}).filter(([name]) => name !== left));
    return fetch(`${edge.url ?? ''}${target}?${String(query)}`, {
      method,
      headers: { ...(type === undefined ? {} : { 'content-type': type }), ...(path.startsWith('/oauth2') ? {} : { authorization: `Bearer ${token}` }) },
      ...(body ? { body: type === 'application/json' ? JSON.stringify(body) : new URLSearchParams(body as Record<string, string>).toString() } : {}),
    });
  };

  it('is valid', async () => {
    const { valid, errors } = await new Validator().validate(document as unknown as Record<string, unknown>);
    assert.ok(valid, JSON.stringify(errors));
  });

  it('gives examples that services accept, and answers as it says', async () => {
    const called = described().filter(({ path }) => path !== '/readyz');
    assert.equal(called.length, 14);
    for (const one of called) {
      const response = await send(one);
      const answered = await response.text();
      assert.equal(response.status, 200, `${one.operation.operationId} ${answered}`);
      const [type = '', content] = Object.entries(one.operation.responses['200']?.content ?? {})[0] ?? [];
      assert.equal(response.headers.get('content-type')?.split(';')[0], type);
      if (type !== 'application/json') continue;
      const validate = compile(content?.schema ?? {});
      assert.ok(validate(JSON.parse(answered)), `${one.operation.operationId} ${answered} ${JSON.stringify(validate.errors)}`);
    }
  });

  it('asks for what services ask for', async () => {
    let asked = 0;
    for (const one of described()) {
      const inQuery = (one.operation.parameters ?? []).filter((parameter) => parameter.in === 'query' && parameter.required).map(({ name }) => name);
      const { $ref: ref } = one.operation.requestBody?.content['application/json']?.schema ?? {};
      const inBody = ref === undefined ? [] : (document.components.schemas[ref.replace('#/components/schemas/', '')]?.required ?? []);
      for (const name of [...inQuery, ...inBody]) {
        const response = await send(one, name);
        const { violations } = (await response.json()) as { violations?: readonly { readonly field: string }[] };
        assert.deepEqual([response.status, violations?.map(({ field }) => field)], [400, [name]], `${one.operation.operationId} without ${name}`);
        asked += 1;
      }
    }
    assert.ok(asked >= 8, String(asked));
  });

  it('is shown by a viewer that is there', async () => {
    const page = await fetch(`${edge.url ?? ''}/docs`);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    const [script = ''] = /docs\/swagger-ui\.[0-9a-f]+\.js/.exec(await page.text()) ?? [];
    const file = await fetch(`${edge.url ?? ''}/${script}`, { method: 'HEAD' });
    assert.deepEqual([file.status, file.headers.get('content-type'), file.headers.get('cache-control')], [200, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable']);
    assert.ok(Number(file.headers.get('content-length')) > 1_000_000);
  });
});
