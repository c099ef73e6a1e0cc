/** Something that the user can mend: shown without a stack, with what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** 1: it did not work; 2: the command itself is wrong. */
  readonly exitCode: 1 | 2;
  /** Whether it counts also after Ctrl-C, which otherwise says why the command ended. */
  readonly evenIfStopped: boolean;

  constructor(message: string, exitCode: 1 | 2 = 1, { evenIfStopped = false }: { readonly evenIfStopped?: boolean } = {}) {
    super(message);
    this.exitCode = exitCode;
    this.evenIfStopped = evenIfStopped;
  }
}
