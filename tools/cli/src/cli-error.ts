/** Something that the user can mend: shown without a stack, with what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** 1: it did not work; 2: the command itself is wrong. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
