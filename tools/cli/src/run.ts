import { CommanderError } from 'commander';
import { CliError } from './cli-error.ts';
import { createProgram, type ProgramContext } from './program.ts';

/** Runs one command; resolves to the exit code: 1 if it did not work, 2 if the command itself is wrong. */
export async function run(args: readonly string[], context: ProgramContext): Promise<number> {
  const { err, errStyle } = context.terminal;
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said what is wrong; help and the version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CliError) {
      err(`${errStyle.bad('talaria')}: ${error.message}\n`);
      return error.exitCode;
    }
    const [{ ServiceError }, { describeFailure }] = await Promise.all([import('@talaria/errors'), import('./failure.ts')]);
    err(error instanceof ServiceError ? describeFailure(error, errStyle) : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
}
