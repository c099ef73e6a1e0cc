/** What keeps a package from being packed; its message is one sentence with the fix. */
export class PackError extends Error {
  override readonly name = 'PackError';
}
