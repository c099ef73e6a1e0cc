/** Something that the reader can fix: printed as it is, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The code of a system error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}
