import { formsOf, memberOf, type Forms } from '../naming/names.ts';
import { pluralOf } from '../naming/plural.ts';
import type { ProtoMethod } from '../proto/method.ts';
import type { FoundContract } from '../workspace/find.ts';

/** What a new method is about, and how it is reached. */
export interface MethodPlan {
  /** Such as `VoidInvoice`. */
  readonly name: string;
  /** What it is called in code: `voidInvoice`. */
  readonly member: string;
  /** The end of the code of the error that it answers until it is written: `void_invoice`. */
  readonly snake: string;
  /** The message that it is about, `Invoice`, and whether it is about one of them; undefined if its name ends with none. */
  readonly resource: { /** As the method's name has it: `Invoice`, or `Invoices`. */ readonly word: string; readonly forms: Forms; readonly one: boolean } | undefined;
  /** What is done: `void`. */
  readonly verb: string;
  /** Whether it only reads. */
  readonly reads: boolean;
  /** Its public route, if the contract has public ones. */
  readonly route: { readonly verb: 'get' | 'post'; readonly path: string } | undefined;
  /** The option that says who may call, as the other methods have it. */
  readonly access: string | undefined;
}

const READS = /^(Get|List|Search|Count|Find|Check|Lookup|Preview)(?=[A-Z]|$)/;

/** `bank-statement` for `BankStatement`. */
export function kebabOf(pascal: string): string {
  return pascal
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

/** The message with the longest name at the end of the method's: `Invoice` of `VoidInvoice`, also for `ExportInvoices`. */
function resourceOf(name: string, { proto, service }: FoundContract): { readonly type: string; readonly word: string; readonly one: boolean } | undefined {
  const types = proto.types.map((type) => type.name).filter((type) => !/(Request|Response)$/.test(type));
  const listed = service.methods.flatMap((method) => (method.name.startsWith('List') ? [method.name.slice('List'.length)] : []));
  const candidates = types.flatMap((type) => {
    const plural = listed.length === 1 && types.length === 1 ? (listed[0] ?? '') : pluralOf(type);
    return [{ type, word: type, one: true }, ...(plural === type ? [] : [{ type, word: plural, one: false }])];
  });
  return candidates.filter(({ word }) => name.length > word.length && name.endsWith(word)).sort((a, b) => b.word.length - a.word.length)[0];
}

/** Where the contract's routes begin: `/invoices`. */
export function basePath(methods: readonly ProtoMethod[]): string | undefined {
  const paths = methods.flatMap(({ routes }) => routes.map(({ path }) => path));
  return paths.map((path) => /^[^{:]*?(?=\/\{|:|$)/.exec(path)?.[0] ?? '').find((path) => path !== '');
}

/** How a method of that name fits into its contract. */
export function planMethod(name: string, found: FoundContract): MethodPlan {
  const { methods } = found.service;
  const resource = resourceOf(name, found);
  const verb = formsOf(kebabOf(resource ? name.slice(0, -resource.word.length) : name)).camel;
  const reads = READS.test(name);
  const base = basePath(methods);
  const like = methods.find(({ idempotency, access }) => access !== undefined && (idempotency === 'NO_SIDE_EFFECTS') === reads) ?? methods.find(({ access }) => access !== undefined);
  return {
    name,
    member: memberOf(name),
    snake: formsOf(kebabOf(name)).snake,
    resource: resource && { word: resource.word, forms: formsOf(kebabOf(resource.word)), one: resource.one },
    verb,
    reads,
    route: base === undefined ? undefined : { verb: reads ? 'get' : 'post', path: `${base}${resource?.one ? '/{id}' : ''}:${verb}` },
    access: like?.access,
  };
}
