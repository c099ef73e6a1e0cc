/** What keeps `serve` from starting, in one sentence that names the fix; it is shown without a stack. */
export class ServeError extends Error {
  override readonly name = 'ServeError';
}
