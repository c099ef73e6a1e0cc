import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a command did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `node` with `args`, for two minutes at most. */
export async function node(args: readonly string[], cwd: string): Promise<Outcome> {
  // `node --test` marks its children, which would change what they print.
  const { NODE_TEST_CONTEXT: _marked, ...env } = process.env;
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, args, { cwd, env, timeout: 120_000 })) };
  } catch (error) {
    const { code, stdout = '', stderr = String(error) } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, stdout, stderr };
  }
}
