import { FeatureFlag, MemoryStorage } from '@openfeature/flagd-core';
import { DocumentError, parseJson } from './document-error.ts';
import { checkReferences } from './references.ts';

/** What a document of flags says, compiled. */
export interface FlagDocument {
  readonly name: string;
  readonly flags: ReadonlyMap<string, FeatureFlag>;
  /** Of the flag set. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  /** What flagd's schema has against it, and which flags do not work; undefined if all is well. flagd loads such a document all the same. */
  readonly flaw: string | undefined;
}

/** flagd-core logs every evaluation that matches nothing. That is for whoever writes targeting, not for the log of a service. */
const quiet = { error() {}, warn() {}, info() {}, debug() {} };

/**
 * Reads a document as flagd does, with flagd's own code. Throws a `DocumentError` for one that flagd would not load; what it
 * would load and complain of has a `flaw`.
 */
export function readFlagDocument(name: string, text: string): FlagDocument {
  const json = parseJson(text);
  const flags = isObject(json) ? json['flags'] : undefined;
  if (!isObject(json) || !isObject(flags)) throw new DocumentError('it is no flag document, which is an object with "flags"');
  checkReferences(json);
  const broken: string[] = [];
  const storage = new MemoryStorage({ ...quiet, warn: (message: unknown) => void broken.push(String(message)) });
  try {
    storage.setConfigurations(text);
  } catch (error) {
    throw new DocumentError(reasonOf(error));
  }
  const flaws = [...broken.map((message) => `${message}: it is not JSONLogic as flagd has it`), ...schemaComplaint(text)];
  return { name, flags: storage.getFlags(), metadata: storage.getFlagSetMetadata() as FlagDocument['metadata'], flaw: flaws.length > 0 ? flaws.join('; ') : undefined };
}

/** A targeting expression that is true or not; undefined for one that is no JSONLogic. */
export function compileCondition(targeting: Readonly<Record<string, unknown>>): ((context: Readonly<Record<string, unknown>>) => boolean) | undefined {
  let broken = false;
  const flag = { state: 'ENABLED', variants: { true: true }, targeting } as unknown as ConstructorParameters<typeof FeatureFlag>[1];
  const condition = new FeatureFlag('eligible', flag, { ...quiet, warn: () => (broken = true) });
  return broken ? undefined : (context) => condition.evaluate(context as Parameters<FeatureFlag['evaluate']>[0], quiet).value === true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
}

/** What flagd's published schema says: where, and the innermost reasons. */
function schemaComplaint(text: string): readonly string[] {
  try {
    new MemoryStorage(quiet).setConfigurations(text, true);
    return [];
  } catch (error) {
    const { message } = error as Error;
    const list = message.indexOf('[');
    if (list < 0) return [message];
    try {
      const errors = (JSON.parse(message.slice(list)) as readonly SchemaError[]).filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'oneOf');
      const deepest = Math.max(...errors.map(({ instancePath }) => instancePath.split('/').length));
      const found = errors.filter(({ instancePath }) => instancePath.split('/').length === deepest).map(({ instancePath, message: why }) => `${instancePath.slice(1).replaceAll('/', '.') || 'it'} ${why ?? 'is wrong'}`);
      return [`flagd's schema: ${[...new Set(found)].slice(0, 3).join(', or ')}`];
    } catch {
      return [message];
    }
  }
}
