import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { WebhookServiceDefinition } from '@talaria/contracts/webhook/v1/webhook';
import { accessRules, scopesOf } from './access-rules.ts';
import { enforce } from './enforce.ts';
import { peter } from './testing/actors.ts';

const nobody = { caller: undefined, principal: undefined };
const byService = { caller: { service: 'service.account', edge: false }, principal: undefined };
const byGateway = { caller: { service: 'api.gateway', edge: true }, principal: undefined };

describe('accessRules', () => {
  it('reads what the contract says', () => {
    const rules = accessRules({ exempt: ['grpc.health.v1.Health'] });
    for (const definition of [AccountServiceDefinition, AuthServiceDefinition, WebhookServiceDefinition]) rules.add(definition);
    assert.deepEqual(rules.ruleOf('/account.v1.AccountService/GetAccount'), { kind: 'principal', scopes: ['accounts:read'] });
    assert.deepEqual(rules.ruleOf('/auth.v1.AuthService/WhoAmI'), { kind: 'principal', scopes: [] });
    assert.deepEqual(rules.ruleOf('/auth.v1.AuthService/GetKeys'), { kind: 'anyone' });
    assert.deepEqual(rules.ruleOf('/auth.v1.AuthService/ExchangeToken'), { kind: 'services', names: undefined, edges: true });
    assert.deepEqual(rules.ruleOf('/grpc.health.v1.Health/Check'), { kind: 'exempt' });
  });

  it('denies by default: methods without a rule, and paths that it does not know', () => {
    const denied = { kind: 'services', names: undefined, edges: false };
    const rules = accessRules();
    rules.add({ fullName: 'x.v1.Hand', name: 'Hand', methods: {} });
    for (const path of ['/account.v1.AccountService/GetAccount', '/x.v1.Hand/Written', '', '/', 'x', '/grpc.health.v1.Health/Check']) assert.deepEqual(rules.ruleOf(path), denied);
    assert.throws(() => rules.add({ ...AccountServiceDefinition, fullName: 'account.v1.Other' }), /npm run generate/);
  });

  it('keeps nothing of what a contract said before', () => {
    const path = '/auth.v1.AuthService/GetKeys';
    const denied = accessRules().ruleOf(path);
    const { descriptor: _, ...bare } = AuthServiceDefinition;
    const rules = accessRules();
    rules.add(AuthServiceDefinition);
    rules.add(bare);
    assert.deepEqual(rules.ruleOf(path), denied);
    rules.add(AuthServiceDefinition);
    rules.remove('account.v1.AccountService');
    assert.deepEqual(rules.ruleOf(path), { kind: 'anyone' });
    rules.remove('auth.v1.AuthService');
    assert.deepEqual(rules.ruleOf(path), denied);
  });
});

describe('scopesOf', () => {
  const descriptorSet = (definition: { readonly descriptor: { readonly set: string } }): Uint8Array => Buffer.from(definition.descriptor.set, 'base64');

  it('lists what a published contract asks for', () => {
    assert.deepEqual(scopesOf({ contract: 'account.v1.AccountService', descriptorSet: descriptorSet(AccountServiceDefinition) }), ['accounts:write', 'accounts:read']);
    assert.deepEqual(scopesOf({ contract: 'webhook.v1.WebhookService', descriptorSet: descriptorSet(WebhookServiceDefinition) }), []);
    assert.deepEqual(scopesOf({ contract: 'auth.v1.AuthService', descriptorSet: descriptorSet(AuthServiceDefinition) }), []);
  });

  it('says so when there is nothing to read', () => {
    assert.throws(() => scopesOf({ contract: 'account.v1.Other', descriptorSet: descriptorSet(AccountServiceDefinition) }));
    assert.throws(() => scopesOf({ contract: 'x.v1.X', descriptorSet: Buffer.from('no descriptor') }));
  });
});

describe('enforce', () => {
  it('asks nothing of anyone', () => {
    enforce({ kind: 'anyone' }, nobody);
    enforce({ kind: 'exempt' }, nobody);
  });

  it('asks for a caller, a principal and the scopes', () => {
    const rule = { kind: 'principal', scopes: ['accounts:read', 'a', 'b'] } as const;
    assert.throws(() => enforce(rule, nobody), { code: 'unauthorized.caller' });
    assert.throws(() => enforce(rule, { ...nobody, principal: peter }), { code: 'unauthorized.caller' });
    assert.throws(() => enforce(rule, byService), { code: 'unauthorized.principal' });
    assert.throws(() => enforce(rule, { ...byGateway, principal: peter }), { code: 'forbidden.scope', params: { scopes: 'a b' } });
    enforce({ kind: 'principal', scopes: ['accounts:read', 'accounts:write'] }, { ...byGateway, principal: peter });
  });

  it('keeps edges, and services that are not named, out', () => {
    const named = { kind: 'services', names: new Set(['api.webhook']), edges: true } as const;
    assert.throws(() => enforce(named, nobody), { code: 'unauthorized.caller' });
    assert.throws(() => enforce(named, byService), { code: 'forbidden.caller', params: { caller: 'service.account' } });
    enforce(named, { caller: { service: 'api.webhook', edge: false }, principal: undefined });
    enforce({ kind: 'services', names: undefined, edges: true }, byGateway);
    const unsaid = { kind: 'services', names: undefined, edges: false } as const;
    assert.throws(() => enforce(unsaid, { ...byGateway, principal: peter }), { code: 'forbidden.caller' });
    enforce(unsaid, byService);
  });
});
