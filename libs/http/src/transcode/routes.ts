import { createFileRegistry, fromBinary, getOption, hasOption, type DescField, type DescMethod, type FileRegistry, type Message } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { findField, jsonForm } from './fields.ts';
import { isPathField } from './from-params.ts';
import { isReservedTemplate } from './reserved.ts';
import { parseTemplate, type Template } from './template.ts';

/** What a service publishes of a contract. */
export interface ContractSource {
  /** Such as `account.v1.AccountService`. */
  readonly contract: string;
  /** Who owns it, such as `service.account`. */
  readonly service: string;
  /** The proto file that declares it. */
  readonly file: string;
  /** A `google.protobuf.FileDescriptorSet` with that file and all that it imports. */
  readonly descriptorSet: Uint8Array;
}

/** One public way to a method. */
export interface Route {
  /** `GET`; `*` for any. */
  readonly method: string;
  /** As it stands in the contract: `/accounts/{id}`. */
  readonly pattern: string;
  readonly template: Template;
  readonly contract: string;
  /** Who owns the contract, such as `service.account`. */
  readonly service: string;
  readonly desc: DescMethod;
  /** Where the body goes: the whole request, one field of it, or nowhere. */
  readonly body: 'all' | 'none' | DescField;
  /** What of the response is the answer; undefined for all of it. */
  readonly responseBody: DescField | undefined;
  /** Who may call: `anyone`, or a `principal`. */
  readonly access: 'anyone' | 'principal';
  readonly registry: FileRegistry;
}

/** The shape of google.api.HttpRule as protobuf-es reads it. */
interface HttpRule extends Message {
  readonly pattern: { readonly case: 'get' | 'put' | 'post' | 'delete' | 'patch'; readonly value: string } | { readonly case: 'custom'; readonly value: { readonly kind: string; readonly path: string } } | { readonly case: undefined };
  readonly body: string;
  /** Absent in older copies of http.proto, such as the one in the npm package protobufjs. */
  readonly responseBody?: string;
  readonly additionalBindings: readonly HttpRule[];
}

interface AccessRule extends Message {
  readonly kind: { readonly case: 'anyone' | 'services' | undefined } | { readonly case: 'principal'; readonly value: { readonly scopes?: readonly string[] } };
}

function option<T extends Message>(registry: FileRegistry, method: DescMethod, name: string): T | undefined {
  const extension = registry.getExtension(name);
  // getOption would make an empty message for an absent option.
  if (!extension || !hasOption(method, extension)) return undefined;
  return getOption(method, extension) as unknown as T;
}

/** The scopes that a principal must hold to call a route's method. */
export function accessScopes({ registry, desc }: Pick<Route, 'registry' | 'desc'>): readonly string[] {
  const kind = option<AccessRule>(registry, desc, 'talaria.options.v1.access')?.kind;
  return kind?.case === 'principal' ? [...(kind.value.scopes ?? [])] : [];
}

function verbAndPattern(rule: HttpRule): readonly [method: string, pattern: string] {
  const { pattern } = rule;
  if (pattern.case === undefined) throw new Error('its google.api.http has no pattern');
  if (pattern.case === 'custom') return [pattern.value.kind.toUpperCase(), pattern.value.path];
  return [pattern.case.toUpperCase(), pattern.value];
}

function bodyOf(rule: HttpRule, method: DescMethod): Route['body'] {
  if (rule.body === '') return 'none';
  if (rule.body === '*') return 'all';
  const field = findField(method.input, rule.body);
  if (!field) throw new Error(`its body names ${rule.body}, which ${method.input.typeName} lacks`);
  return field;
}

function routeOf(rule: HttpRule, method: DescMethod, shared: Pick<Route, 'contract' | 'service' | 'access' | 'registry'>): Route {
  const [verb, pattern] = verbAndPattern(rule);
  const template = parseTemplate(pattern);
  if (isReservedTemplate(template)) throw new Error(`${pattern} belongs to the gateway itself: give it another path`);
  const body = bodyOf(rule, method);
  for (const { name } of template.variables) {
    if (!isPathField(method.input, name)) throw new Error(`path variable ${name} names no singular field of ${method.input.typeName}`);
  }
  const { responseBody: answer = '' } = rule;
  const responseBody = answer === '' ? undefined : findField(method.output, answer);
  if (answer !== '' && !responseBody) throw new Error(`its response_body names ${answer}, which ${method.output.typeName} lacks`);
  return { method: verb, pattern, template, desc: method, body, responseBody, ...shared };
}

function routesOfMethod(method: DescMethod, { contract, service }: Pick<Route, 'contract' | 'service'>, registry: FileRegistry): readonly Route[] {
  const rule = option<HttpRule>(registry, method, 'google.api.http');
  if (!rule) return [];
  const access = option<AccessRule>(registry, method, 'talaria.options.v1.access')?.kind.case;
  // Default deny: what says nothing is for services, and so is `services`.
  if (access === undefined || access === 'services') throw new Error('it has google.api.http, and no access rule that lets customers in (anyone, principal)');
  if (method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming') throw new Error('clients cannot stream over HTTP/JSON');
  return [rule, ...rule.additionalBindings].map((one) => routeOf(one, method, { contract, service, access, registry }));
}

/** What a contract says about HTTP. */
export interface ContractRoutes {
  readonly routes: readonly Route[];
  /** Methods that look public and are not routed, each with the reason. */
  readonly refused: readonly { readonly method: string; readonly reason: string }[];
}

/** Reads the routes of a contract. Throws an Error when the descriptors do not hold the contract. */
export function readRoutes({ contract, service, descriptorSet }: ContractSource): ContractRoutes {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
  const declared = registry.getService(contract);
  if (!declared) throw new Error(`the descriptors of ${contract} do not declare it`);
  const routes: Route[] = [];
  const refused: { method: string; reason: string }[] = [];
  for (const method of declared.methods) {
    try {
      routes.push(...routesOfMethod(method, { contract, service }, registry));
    } catch (error) {
      refused.push({ method: method.name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { routes, refused };
}

/** The public routes of a contract, as they are published: `POST /accounts`. */
export function publicRoutes(source: ContractSource): string[] {
  return readRoutes(source).routes.map(({ method, pattern }) => `${method} ${pattern}`);
}

/** Whether an empty body can be meant: no field is left for it. */
export function wantsBody({ body, desc, template }: Route): boolean {
  if (body === 'none') return false;
  if (body !== 'all') return body.message === undefined || jsonForm(body.message) !== 'fields' || body.message.fields.length > 0;
  const inPath = new Set(template.variables.map(({ name }) => name));
  return desc.input.fields.some((field) => !inPath.has(field.name));
}
