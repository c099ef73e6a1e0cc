import { constants } from 'node:os';
import { CommanderError } from 'commander';
import { CliError } from './cli-error.ts';
import { createProgram, type ProgramContext } from './program.ts';
import { printable } from './terminal.ts';

/**
 * Runs one command; resolves to the exit code: 0 if it worked, 1 if it did not, 2 if the command itself is wrong, 128 and the
 * number of the signal (130 for Ctrl-C) if that ended it. `signal` aborts with the name of the signal as its reason.
 */
export async function run(args: readonly string[], context: ProgramContext): Promise<number> {
  const { err, errStyle } = context.terminal;
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (context.signal.aborted && !(error instanceof CliError && error.evenIfStopped)) {
      // Whoever stopped it knows that it did not finish.
      if (error instanceof CliError) err(`${errStyle.bad('talaria')}: ${printable(error.message)}\n`);
      return 128 + (constants.signals[context.signal.reason as NodeJS.Signals] ?? constants.signals.SIGINT);
    }
    // Commander has said what is wrong; help and the version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CliError) {
      err(`${errStyle.bad('talaria')}: ${printable(error.message)}\n`);
      return error.exitCode;
    }
    const [{ ServiceError }, { CallFailure, describeFailure }] = await Promise.all([import('@talaria/errors'), import('./failure.ts')]);
    if (error instanceof CallFailure) err(describeFailure(error.error, errStyle, error.facts));
    else err(error instanceof ServiceError ? describeFailure(error, errStyle) : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
}
