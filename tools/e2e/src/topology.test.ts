import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { AccountServiceDefinition } from '@talaria/contracts/account/v1/account';
import { createService, hasCode, readPlatformFile } from '@talaria/service';
import { startRealPlatform } from '@talaria/testing';
import { eventually } from './harness.ts';
import { ROOT, run } from './run.ts';

/** What `talaria health --json` says of an instance. */
interface Health {
  readonly instance: string;
  readonly ready: boolean;
  readonly monitor?: { readonly reachable: boolean; readonly ready: boolean };
}

/** How a command went. */
interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A machine under load is slow. */
const PATIENT = { limitMs: 180_000, intervalMs: 500 };

test('health and topology from the command line: a critical failure, callers, and an instance that freezes', { timeout: 600_000 }, async () => {
  const namespace = `topology-${process.pid}`;
  const platform = await startRealPlatform({ app: 'account-service', args: ['--instances', 'account-service=3'], env: { TALARIA_NAMESPACE: namespace, LOG_LEVEL: 'warn' } });
  const env = { TALARIA_STATE_DIR: platform.stateDir, TALARIA_NAMESPACE: namespace };
  const talaria = (...args: string[]): Promise<Ran> =>
    run(process.execPath, [join(ROOT, 'tools/cli/src/main.ts'), ...args], { env }).then(
      (out) => ({ code: 0, out, err: '' }),
      ({ cause: { code, stdout, stderr } }: { readonly cause: { readonly code: number; readonly stdout: string; readonly stderr: string } }) => ({ code, out: stdout, err: stderr }),
    );
  const health = async (service: string): Promise<readonly Health[]> => (JSON.parse((await talaria('health', service, '--json')).out || '{"instances":[]}') as { instances: Health[] }).instances;
  const file = readPlatformFile(platform.stateDir);
  let isBroken = false;
  const probe = createService({
    name: 'talaria.cli',
    description: 'What stands on a disk that is full now and then',
    checkers: [
      {
        name: 'disk',
        critical: true,
        check() {
          if (isBroken) throw new Error('it is full');
          return {};
        },
      },
    ],
    platform: { env: { ...env, ETCD_ENDPOINTS: file?.etcd_endpoints, TALARIA_SERVICE_KEY_FILE: file?.cli_key_file }, log: silentLogger },
  }).add({ fullName: 'probe.v1.ProbeService', name: 'ProbeService', methods: {} }, {});
  let frozen: number | undefined;
  try {
    await probe.start();
    await eventually(async () => (await health('talaria.cli'))[0]?.monitor?.ready === true, PATIENT);
    isBroken = true;
    await eventually(async () => (await health('talaria.cli'))[0]?.ready === false, PATIENT);
    assert.match((await talaria('services')).out, /probe\.v1\.ProbeService .*NOT READY/);
    const failing = await eventually(async () => {
      const found = await talaria('health', 'talaria.cli');
      return found.out.includes('it is full') ? found : undefined;
    }, PATIENT);
    assert.equal(failing.code, 1);
    isBroken = false;
    await eventually(async () => (await talaria('health', 'talaria.cli')).code === 0, PATIENT);

    // It comes without a principal, which the instances say: their answers count.
    const accounts = probe.client(AccountServiceDefinition);
    for (let call = 0; call < 20; call++) await assert.rejects(accounts.listAccounts({}), (error) => hasCode(error, 'unauthorized.principal'));
    const topology = await talaria('topology', 'account.v1.AccountService');
    assert.match(topology.out, /^account\.v1\.AccountService of service\.account: 3 instances, 1 caller\n/, topology.err);
    assert.match(topology.out, / talaria\.cli …\w{6} +ready /);
    assert.match(topology.out, /\nListAccounts +talaria\.cli …\w{6} +closed +0 /);

    await eventually(async () => (await health('service.account')).filter(({ monitor }) => monitor?.reachable).length === 3, PATIENT);
    const noted = JSON.parse(await readFile(join(platform.stateDir, 'processes.json'), 'utf8')) as { name: string; pid: number }[];
    frozen = noted.find(({ name }) => name === 'account-service#2')?.pid ?? assert.fail('it runs');
    process.kill(frozen, 'SIGSTOP');
    await eventually(async () => (await health('service.account')).filter(({ monitor }) => monitor?.reachable === false).length === 1, PATIENT);
    assert.match((await talaria('health')).out, /\nservice\.account .* no answer/);
    process.kill(frozen, 'SIGCONT');
    frozen = undefined;
    await eventually(async () => (await talaria('health', 'service.account')).code === 0, PATIENT);
  } finally {
    if (frozen !== undefined) process.kill(frozen, 'SIGCONT');
    await probe.stop();
    await platform.stop();
  }
});
