/** Says what is wrong with a document, in one sentence without its end. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
}

/** How large a document may be, in bytes: reading it holds up everything else. */
export const MAX_DOCUMENT_BYTES = 262_144;

/** Reads JSON. Throws a `DocumentError` for what is none or too large. */
export function parseJson(text: string): unknown {
  if (text.length > MAX_DOCUMENT_BYTES || Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) throw new DocumentError(`it has more than ${MAX_DOCUMENT_BYTES / 1024} KiB: make several documents of it`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new DocumentError(`it is not JSON (${(error as Error).message})`);
  }
}

/** Says why a change of flags or experiments is refused, in one sentence with what to do. */
export class FlagStoreError extends Error {
  override readonly name: string = 'FlagStoreError';
}
