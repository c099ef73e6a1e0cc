import { ConfigStoreError } from './config-store-error.ts';
import { isRecord, type JsonValue } from './json.ts';

/**
 * The settings in a document whose names are dotted or nested, `a.b.c` or `a: { b: { c } }`. Where a name is known the value
 * begins; what is not known is cut where it stops being an object. Throws a `ConfigStoreError` for a document without settings, or that says one twice.
 */
export function flatDocument(document: unknown, known: ReadonlySet<string>): Readonly<Record<string, JsonValue>> {
  if (!isRecord(document)) throw new ConfigStoreError('malformed', 'The document holds no settings: it takes an object of names and values, such as {"log.level": "debug"}.');
  const found = new Map<string, JsonValue>();
  const visit = (value: unknown, name: string): void => {
    const goesOn = isRecord(value) && !known.has(name) && [...known].some((each) => each.startsWith(`${name}.`));
    if (goesOn) {
      for (const [key, part] of Object.entries(value)) visit(part, `${name}.${key}`);
      return;
    }
    if (found.has(name)) throw new ConfigStoreError('malformed', `The document says ${name} twice, nested in different ways: leave one.`);
    found.set(name, value as JsonValue);
  };
  for (const [key, part] of Object.entries(document)) visit(part, key);
  return Object.fromEntries(found);
}
