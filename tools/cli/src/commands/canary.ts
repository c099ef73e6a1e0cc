import { sleep } from '@talaria/base';
import { formatDuration } from '@talaria/config';
import { ConfigStoreError, type JsonValue, type Target } from '@talaria/config/store';
import { GatewayServiceDefinition } from '@talaria/contracts/talaria/gateway/v1/gateway';
import type { PlatformClient } from '@talaria/service';
import { canaryPlan, type CanaryOptions, type CanaryPlan } from '../canary/canary-options.ts';
import { GATEWAY, refuseOthers, RULES, withAll, withShare, type Release } from '../canary/canary-rules.ts';
import { gatewaysOf, type Gateways } from '../canary/gateways.ts';
import { keepLease, TTL_SECONDS, type KeptLease } from '../canary/kept-lease.ts';
import { percentWords, watchStep, type Baseline } from '../canary/step.ts';
import { CliError } from '../cli-error.ts';
import { withStore, type ConfigEnvironment, type OpenStore } from '../config/open-store.ts';
import { withPlatform } from '../platform.ts';
import { withRegistry } from '../registry.ts';
import { unlessAborted } from '../unless-aborted.ts';

const TARGET: Target = { kind: 'service', service: GATEWAY };
/** How long it may take until it is known who is there, in ms. */
const KNOWN_MS = 5_000;
const POLL_MS = 200;

/** `talaria canary <service> <version>`: raises a version's share step by step, and goes back when it is worse than the others. */
export async function canary(service: string, version: string, options: CanaryOptions, environment: ConfigEnvironment): Promise<void> {
  const plan = canaryPlan(options);
  const release: Release = { service, version };
  const { env, signal } = environment;
  const contracts = await withRegistry({ env, signal }, async (registry) => {
    const owned = [...(await registry.contracts()).values()].filter((one) => one.service === service).map(({ contract }) => contract);
    if (owned.length === 0) throw new CliError(`No contract of a service ${service} is published: is that its name? "talaria services" lists them.`);
    return new Set(owned);
  });
  // Going back must work after Ctrl-C, too.
  const untilDone = { ...environment, signal: new AbortController().signal };
  await withStore(untilDone, { writes: true, why: options.why }, (open) =>
    withPlatform({ env, signal }, async (platform) => {
      const versions = versionsOf(platform, release, contracts);
      await known(platform, contracts, signal);
      const gateways = gatewaysOf(platform);
      if (gateways.count === 0) throw new CliError(`No gateway is there (nobody serves ${GatewayServiceDefinition.fullName}): start one, for it decides who gets which version.`);
      const work: Work = { release, plan, open, gateways, versions, why: options.why, environment };
      const stored = await look(work, contracts);
      if (plan.waitMs === undefined) refuseAbsent(release, versions());
      await raise(work, stored);
    }),
  );
}

/** What the steps of a canary share. */
interface Work {
  readonly release: Release;
  readonly plan: CanaryPlan;
  readonly open: OpenStore;
  readonly gateways: Gateways;
  /** The versions of the service that run now. */
  readonly versions: () => ReadonlySet<string>;
  readonly why: string | undefined;
  readonly environment: ConfigEnvironment;
}

/** The rules as they stand, and as of which revision. */
interface Stored {
  readonly rules: JsonValue | undefined;
  readonly revision: bigint;
}

function versionsOf({ service: client }: PlatformClient, { service }: Release, contracts: ReadonlySet<string>): () => ReadonlySet<string> {
  return () => new Set([...contracts].flatMap((contract) => client.endpoints(contract) ?? []).flatMap((endpoint) => (endpoint.service === service ? (endpoint.version ?? []) : [])));
}

/** Resolves when it is known who serves the contracts, and who the gateways are. */
async function known({ service }: PlatformClient, contracts: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  const until = performance.now() + KNOWN_MS;
  const wanted = [...contracts, GatewayServiceDefinition.fullName];
  while (!wanted.every((contract) => service.endpoints(contract) !== undefined) && performance.now() < until) await sleep(10, { signal });
}

function refuseAbsent({ service, version }: Release, versions: ReadonlySet<string>): void {
  const there = [...versions].sort().join(', ');
  if (!versions.has(version)) throw new CliError(`No instance of ${service} runs ${version} (${there === '' ? 'none runs at all' : `there is ${there}`}): start one, or say --wait and start it then, so that nobody gets it before.`);
  if (versions.size === 1) throw new CliError(`All instances of ${service} run ${version}: there is no other version to compare it with.`);
}

/** Reads the rules; refuses where somebody else is at work on them. */
async function look({ release, open: { store, ask } }: Work, contracts: ReadonlySet<string>): Promise<Stored> {
  const { revision, settings } = await ask(store.explain(TARGET, RULES));
  const setting = settings[0]?.layers.find(({ target }) => target.kind === 'service');
  // What is said elsewhere would be hidden by the rule, or would hide it.
  const elsewhere = settings[0]?.instances.find(({ source }) => source !== undefined && source !== 'default' && source !== 'service');
  if (elsewhere) throw new CliError(`The gateway ${elsewhere.instance} takes ${RULES} from its ${elsewhere.source ?? ''} layer, and a canary writes those of the service ${GATEWAY}: move them there first ("talaria config explain ${GATEWAY} ${RULES}").`);
  if (setting?.temporary) {
    const [last] = await ask(store.history({ target: TARGET, name: RULES, last: 1 }));
    throw new CliError(`${RULES} has a temporary value${last ? `, by ${last.who} at ${last.at}${last.why === undefined ? '' : ` ("${last.why}")`}` : ''}: wait until that is over, or unset it ("talaria config unset ${GATEWAY} ${RULES}").`);
  }
  refuseOthers(setting?.permanent?.value, release, contracts);
  return { rules: setting?.permanent?.value, revision };
}

/** Raises the share step by step; goes back, and throws a `CliError` with the reason, when anything is not as it should be. */
async function raise(work: Work, stored: Stored): Promise<void> {
  const { release, plan, open, gateways, versions, environment } = work;
  const { terminal, signal: stopped } = environment;
  const say = (line: string): void => terminal.out(`${line}\n`);
  const lease = await keepLease(open.etcd);
  const signal = AbortSignal.any([stopped, lease.lost]);
  let { revision } = stored;
  let written = false;
  const set = async (share: number): Promise<void> => {
    signal.throwIfAborted();
    written = true;
    const { change } = await open.ask(open.store.set(TARGET, { [RULES]: withShare(stored.rules, release, share) }, { why: reason(work, percentWords(share)), lease: lease.id, ifRevision: revision }));
    revision = change?.revision ?? revision;
  };
  try {
    if (plan.waitMs !== undefined) {
      await set(0);
      await waitFor(work, signal, say);
    }
    say(`${release.service} ${release.version}: ${plan.steps.map(percentWords).join(', ')}; each for ${formatDuration(plan.everyMs)} and ${String(plan.minCalls)} calls, at ${String(gateways.count)} gateway${gateways.count === 1 ? '' : 's'}`);
    let baseline: Baseline = new Map();
    for (const share of plan.steps) {
      await set(share);
      baseline = await watchStep(share, baseline, { release, plan, gateways, isThere: () => versions().has(release.version), signal, say });
    }
    signal.throwIfAborted();
    const { change } = await open.ask(open.store.set(TARGET, { [RULES]: withAll(stored.rules, release) }, { why: reason(work, 'it went well'), ifRevision: revision }));
    await lease.release({ revoke: true });
    say(`${release.service} ${release.version} goes to everybody from now on${change ? ` (${change.id})` : ''}: stop the other instances when you like.`);
    if (change) say(`To take it back: talaria config rollback ${change.id}`);
  } catch (error) {
    const why = stopped.aborted ? `it was stopped (${String(stopped.reason)})` : lease.lost.aborted ? (lease.lost.reason as Error).message : errorWords(error);
    if (!written) {
      await lease.release({ revoke: true });
      throw error;
    }
    throw new CliError(`${release.service} ${release.version} ${await goBack(work, stored, revision, lease, why)}: ${why.replace(/\.$/, '')}.`);
  }
}

/** Takes the share back, with the reason in the history; how that went, in words. */
async function goBack(work: Work, { rules }: Stored, revision: bigint, lease: KeptLease, why: string): Promise<string> {
  const { store, etcd, ask } = work.open;
  try {
    await ask(store.set(TARGET, { [RULES]: rules }, { why: reason(work, `back: ${why}`).slice(0, 1_000), ifRevision: revision }));
  } catch {
    // Somebody else has changed the rules, or etcd is away: what hangs on the lease goes with it.
  }
  await lease.release({ revoke: true });
  const left = await etcd.leases.remaining(lease.id).then(
    (seconds) => seconds !== undefined,
    () => true,
  );
  return left ? `goes back by itself within ${String(TTL_SECONDS)} s, as etcd cannot be asked` : 'went back';
}

/** Waits for the first instance of the version, while its share is none. */
async function waitFor({ release, plan, versions }: Work, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  const until = performance.now() + (plan.waitMs ?? 0);
  if (!versions().has(release.version)) say(`Nobody gets ${release.service} ${release.version} yet: start it now.`);
  while (!versions().has(release.version)) {
    if (performance.now() > until) throw new CliError(`no instance of it was started within ${formatDuration(plan.waitMs ?? 0)}`);
    await unlessAborted(sleep(POLL_MS), signal);
  }
  refuseAbsent(release, versions());
}

const reason = ({ release, why }: Work, what: string): string => `canary of ${release.service} ${release.version}, ${what}${why === undefined ? '' : `: ${why}`}`;

function errorWords(error: unknown): string {
  if (error instanceof CliError || error instanceof ConfigStoreError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
