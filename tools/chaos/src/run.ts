import { HELP, readArguments } from './arguments.ts';
import { chaos } from './chaos.ts';
import { rowsOf, failuresOf, textReport } from './report.ts';

/** Does what the arguments say; answers the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const { seconds, seed, json, help } = readArguments(args);
    if (help) {
      process.stdout.write(HELP);
      return 0;
    }
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    const result = await chaos({ seconds, seed, say });
    const { samples: _all, from: _from, to: _to, ...rest } = result;
    process.stdout.write(json ? `${JSON.stringify({ ...rest, calls: rowsOf(result), failures: failuresOf(result) }, null, 2)}\n` : `\n${textReport(result)}\n`);
    return result.wrong.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`chaos: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}
