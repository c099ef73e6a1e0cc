import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The clone. */
export const ROOT = join(import.meta.dirname, '../../..');

const execute = promisify(execFile);

/** Runs a command in the clone and answers what it printed; rejects with its output if it fails. */
export async function run(command: string, args: readonly string[], options: { readonly cwd?: string; readonly env?: Record<string, string | undefined>; readonly limitMs?: number } = {}): Promise<string> {
  const { cwd = ROOT, env = {}, limitMs = 120_000 } = options;
  try {
    const { stdout } = await execute(command, [...args], { cwd, env: { ...process.env, ...env }, timeout: limitMs, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Whether the machine has a command. */
export async function has(command: string): Promise<boolean> {
  return run(command, [command === 'go' ? 'version' : '--version']).then(
    () => true,
    () => false,
  );
}

/** A reason to skip, for what a user's machine may lack; where CI is set nothing may be lacking. */
export async function lacking(commands: readonly string[]): Promise<string | false> {
  const present = await Promise.all(commands.map(has));
  const missing = commands.filter((_, index) => !present[index]);
  return missing.length > 0 && !process.env['CI'] ? `needs ${missing.join(' and ')}, which this machine has not` : false;
}
