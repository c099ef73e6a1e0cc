/** What the user must change before anything can be generated; its message is one sentence with the fix. */
export class GenerateError extends Error {
  override readonly name = 'GenerateError';
}
