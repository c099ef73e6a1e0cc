import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs npm in `cwd` and resolves to what it prints. Rejects with all of its output if it fails, or takes longer than five minutes. */
export async function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const windows = process.platform === 'win32';
  try {
    const { stdout } = await promisify(execFile)(windows ? 'npm.cmd' : 'npm', args, { cwd, env, shell: windows, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`npm ${args[0]} failed in ${cwd}:\n${stdout}${stderr}`, { cause: error });
  }
}
