/** What the user must change before anything can be written; its message is one sentence with the fix. */
export class GeneratorError extends Error {
  override readonly name = 'GeneratorError';
}
