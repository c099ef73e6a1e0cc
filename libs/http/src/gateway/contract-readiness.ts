import { type LiveSetting, type Logger } from '@talaria/base';
import { runInCall } from '@talaria/context';
import { HealthCheckResponse_ServingStatus as Status, HealthDefinition } from '@talaria/contracts/health/v1/health';
import { createConnector, grpcTransport, staticResolver, type Endpoint } from '@talaria/rpc';
import { type ContractSource } from '../transcode/routes.ts';

/** What readiness of contracts is judged by. */
export interface ContractReadinessOptions {
  /** The contracts that must be there; empty means all that are published, at least one. */
  readonly names: readonly string[];
  /** What is published: a contract's routes are known only when it is. */
  readonly contracts: LiveSetting<readonly ContractSource[]>;
  /** Who serves a contract: `service.endpoints`. */
  readonly endpoints: (contract: string) => readonly Endpoint[] | undefined;
  readonly log: Logger;
}

/** A probe must not hang on a peer that does; after a restart of everything, on a busy machine, an answer takes more than a second. */
const CHECK_LIMIT_MS = 3000;

/** Asks one instance, by the standard health service, whether it serves a contract. */
async function serves(address: string, contract: string): Promise<boolean> {
  // By address: the registry may still list an instance that was killed.
  const connector = createConnector({ resolver: staticResolver({ [HealthDefinition.fullName]: [address] }), transports: [grpcTransport()], picker: () => ({ pick: ([first]) => first as NonNullable<typeof first> }) });
  try {
    const { status } = await connector.client(HealthDefinition).check({ service: contract }, { timeoutMs: CHECK_LIMIT_MS });
    return status === Status.SERVING;
  } catch {
    return false;
  } finally {
    await connector.close();
  }
}

/** Makes a function that says whether each contract is published and has an instance that answers SERVING. */
export function contractReadiness({ names, contracts, endpoints, log }: ContractReadinessOptions): () => Promise<boolean> {
  const hasInstance = async (contract: string): Promise<boolean> => {
    const addresses = (endpoints(contract) ?? []).flatMap((endpoint) => endpoint.addresses.slice(0, 1));
    const answers = addresses.map(async (address) => {
      if (!(await serves(address, contract))) throw new Error(`${address} does not serve ${contract}`);
      return true;
    });
    // The first that serves is enough: one that hangs must not hold the answer up.
    return Promise.any(answers).catch(() => false);
  };
  const check = async (): Promise<boolean> => {
    const published = contracts.get().map(({ contract }) => contract);
    const wanted = names.length > 0 ? names : published;
    const missing = await Promise.all(wanted.map(async (contract) => (published.includes(contract) && (await hasInstance(contract)) ? [] : [contract])));
    log.debug('waiting for contracts', { missing: missing.flat() });
    return wanted.length > 0 && missing.flat().length === 0;
  };
  let running: Promise<boolean> | undefined;
  // One at a time, however many ask, and in no caller's deadline.
  return () => (running ??= runInCall({ deadline: undefined, signal: undefined }, check).finally(() => (running = undefined)));
}
