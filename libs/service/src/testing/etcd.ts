import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** An etcd-compatible server in memory, as a process. */
export interface TestEtcd {
  /** As ETCD_ENDPOINTS. */
  readonly endpoints: string;
  stop(): Promise<void>;
}

/** Starts the workspace's own server. */
export async function startEtcd(): Promise<TestEtcd> {
  const { NODE_TEST_CONTEXT: _marked, ...env } = process.env;
  const main = join(import.meta.dirname, '../../../../tools/etcd/src/main.ts');
  const child = spawn(process.execPath, [main, '--in-memory', '--listen', '127.0.0.1:0'], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const [message] = (await Promise.race([once(child, 'message'), exited.then(() => Promise.reject(new Error('etcd ended')))])) as [{ address: string }];
  return {
    endpoints: `http://${message.address}`,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
