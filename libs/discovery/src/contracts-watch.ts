import { sleep, type Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { Etcd } from '@talaria/etcd';
import { readContract } from './contract-value.ts';
import { holdPrefix } from './held-prefix.ts';
import type { Keys } from './keys.ts';
import type { ContractInfo, ContractsWatch } from './registry.ts';

/** Contracts have no lease: one that a listing lacks was lost by etcd, and its service, which may be restarting, publishes it again. Until then it is 503, not 404. */
const GRACE_MS = 60_000;
const RETRY_MS = 500;

/** Keeps all contracts up to date, with their descriptors, each of which is fetched once. */
export function watchContracts({ etcd, keys, log }: { readonly etcd: Etcd; readonly keys: Keys; readonly log: Logger }, listener: (contracts: ReadonlyMap<string, ContractInfo>) => void): ContractsWatch {
  const { promise: ready, resolve: setReady } = Promise.withResolvers<void>();
  const closing = new AbortController();
  let descriptors = new Map<string, Uint8Array>();
  let contracts: ReadonlyMap<string, ContractInfo> | undefined;
  let told: string | undefined;
  let changed = false;
  let running = false;
  const complained = new Set<string>();

  const complain = (what: string, fields: Record<string, unknown>): void => {
    const line = what + JSON.stringify(fields);
    if (complained.has(line)) return;
    complained.add(line);
    log.warn(what, fields);
  };

  /** Everything that can be read now; `complete` says whether all could. */
  const collect = async (): Promise<{ found: Map<string, ContractInfo>; complete: boolean }> => {
    const found = new Map<string, ContractInfo>();
    let complete = true;
    for (const entry of prefix.entries?.values() ?? []) {
      const contract = entry.key.slice(keys.contracts.length);
      const value = readContract(entry);
      if (!value) {
        complain('a contract in etcd cannot be read: leaving it out', { key: entry.key });
        continue;
      }
      const descriptorSet = descriptors.get(value.descriptor) ?? (await etcd.get(keys.descriptor(value.descriptor)))?.value;
      if (descriptorSet) {
        descriptors.set(value.descriptor, descriptorSet);
        found.set(contract, { contract, ...value, descriptorSet });
      } else {
        complete = false;
        complain('a contract in etcd has no descriptor there: leaving it out for now', { contract, key: keys.descriptor(value.descriptor) });
      }
    }
    return { found, complete };
  };

  const tell = (found: Map<string, ContractInfo>): void => {
    contracts = found;
    descriptors = new Map([...found.values()].map((info) => [info.descriptor, info.descriptorSet]));
    const summary = JSON.stringify([...found.values()].map(({ contract, service, file, descriptor }) => [contract, service, file, descriptor]).sort());
    if (summary === told) return;
    told = summary;
    try {
      listener(found);
    } catch (err) {
      log.error('a listener of contracts threw', { err });
    }
    setReady();
  };

  const update = async (): Promise<void> => {
    while (changed && !closing.signal.aborted) {
      changed = false;
      try {
        const { found, complete } = await collect();
        if (closing.signal.aborted) return;
        tell(found);
        if (complete) continue;
      } catch (error) {
        log.debug('a descriptor could not be read from etcd', { reason: (error as Error).message });
      }
      changed = true;
      await sleep(RETRY_MS, { signal: closing.signal }).catch(() => {});
    }
  };

  const prefix = detached(() =>
    holdPrefix(etcd, keys.contracts, {
      log,
      graceMs: GRACE_MS,
      onChange() {
        changed = true;
        if (running) return;
        running = true;
        void update().finally(() => (running = false));
      },
    }),
  );

  const stopListening = etcd.onDisturbance((what) => {
    if (what === 'closed') closing.abort();
  });

  return {
    get contracts() {
      return contracts;
    },
    ready,
    close() {
      stopListening();
      closing.abort();
      prefix.close();
    },
  };
}
