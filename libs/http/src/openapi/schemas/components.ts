import { createHash } from 'node:crypto';
import { type DescEnum, type DescMessage, type Registry } from '@bufbuild/protobuf';
import { type Json, type Schema } from '../types.ts';
import { type Role, type SchemaContext } from './field-schema.ts';
import { enumSchema, messageSchema } from './message-schema.ts';

const PREFIX = '#/components/schemas/';

interface Definition {
  readonly contract: string;
  readonly typeName: string;
  readonly role: Role;
  readonly schema: Schema;
}

/** The components of all contracts. */
export interface Components {
  /** What schemas of one contract are made with; the `$ref`s that it gives are provisional until `resolve`. */
  context(contract: string, registry: Registry): SchemaContext;
  /** The components under their final names. */
  schemas(): Readonly<Record<string, Schema>>;
  /** The same JSON with final `$ref`s. */
  resolve<T>(json: T): T;
}

/** Every `$ref` below `json` goes through `rename`. */
function mapRefs(json: unknown, rename: (ref: string) => string): unknown {
  if (Array.isArray(json)) return json.map((item: unknown) => mapRefs(item, rename));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, name === '$ref' && typeof value === 'string' ? rename(value) : mapRefs(value, rename)]));
}

/**
 * Collects components under their full proto names. A message that stands in both requests and answers has two: `a.v1.Thing`
 * and `a.v1.Thing-request`, because only requests are held to the rules. Where contracts publish different messages of one
 * name (one service is newer than another), all but the first are called `a.v1.Thing-in-` and the contract. Proto names have
 * no hyphen, so nothing else can have these names.
 */
export function createComponents(): Components {
  const definitions = new Map<string, Definition>();

  const context = (contract: string, registry: Registry): SchemaContext => {
    const self: SchemaContext = {
      registry,
      ref(desc: DescMessage | DescEnum, wanted) {
        const role = desc.kind === 'enum' ? 'answer' : wanted;
        const ref = `${PREFIX}${contract}|${role}|${desc.typeName}`;
        if (!definitions.has(ref)) {
          const place = { contract, typeName: desc.typeName, role };
          definitions.set(ref, { ...place, schema: {} }); // A message may hold itself.
          definitions.set(ref, { ...place, schema: desc.kind === 'enum' ? enumSchema(desc) : messageSchema(desc, role, self) });
        }
        return { $ref: ref };
      },
    };
    return self;
  };

  /** What a definition and all that it leads to say, whichever contract said it. */
  const digestOf = (ref: string): string => {
    const said = new Map<string, string>();
    const visit = (at: string): void => {
      const definition = definitions.get(at);
      if (!definition || said.has(at)) return;
      const next: string[] = [];
      said.set(at, '');
      said.set(at, `${definition.role}|${definition.typeName}|${JSON.stringify(mapRefs(definition.schema, (inner) => (next.push(inner), inner.slice(inner.indexOf('|')))))}`);
      next.forEach(visit);
    };
    visit(ref);
    return createHash('sha256').update([...said.values()].sort().join('\n')).digest('hex');
  };

  const nameAll = (): Map<string, string> => {
    const inAnswers = new Set([...definitions.values()].filter(({ role }) => role === 'answer').map(({ typeName }) => typeName));
    const taken = new Map<string, string>();
    const names = new Map<string, string>();
    for (const [ref, { contract, typeName, role }] of definitions) {
      const digest = digestOf(ref);
      const base = role === 'request' && inAnswers.has(typeName) ? `${typeName}-request` : typeName;
      const name = (taken.get(base) ?? digest) === digest ? base : `${base}-in-${contract}`;
      taken.set(name, digest);
      names.set(ref, name);
    }
    return names;
  };

  let names: Map<string, string> | undefined;
  const resolve = <T>(json: T): T => {
    const known = (names ??= nameAll());
    return mapRefs(json, (ref) => (known.has(ref) ? PREFIX + (known.get(ref) ?? '') : ref)) as T;
  };

  return {
    context,
    resolve,
    schemas: () => {
      const known = (names ??= nameAll());
      const named = [...definitions].map(([ref, { schema }]) => [known.get(ref) ?? '', resolve(schema) as Readonly<Record<string, Json>>] as const);
      return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
    },
  };
}
