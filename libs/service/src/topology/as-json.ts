/** No checker has to tell more, in characters of JSON: it is stored, and shown to people. */
const MOST_CHARACTERS = 8_192;
const BEGINNING = 1_000;

/** An object as JSON can hold it: bigints are text, what cannot be written is left out, and what is too long is cut off. */
export function asJson(data: unknown): Record<string, unknown> {
  let text: string | undefined;
  try {
    text = JSON.stringify(data, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  } catch (error) {
    return { unreadable: (error as Error).message };
  }
  if (text === undefined) return {};
  if (text.length > MOST_CHARACTERS) return { cut_off: text.slice(0, BEGINNING) };
  const value = JSON.parse(text) as unknown;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : { value };
}
