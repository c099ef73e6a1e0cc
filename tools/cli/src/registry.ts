import { silentLogger } from '@talaria/base';
import { etcdRegistry, type ContractInfo, type InstanceReport, type Registry } from '@talaria/discovery';
import { connectEtcd, credentialsFrom } from '@talaria/etcd';
import { findPlatform } from '@talaria/service/platform-file';
import { ETCD_REQUEST_MS, fromEtcd, type EtcdLimits } from './from-etcd.ts';

/** Which platform, and how long to wait for it. */
export interface RegistryOptions extends EtcdLimits {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The instances of every contract. */
export type Services = Awaited<ReturnType<Registry['services']>>;

/** What is published, and who serves it. */
export interface RegistryReader {
  /** The instances of every contract. */
  readonly services: Services;
  /** The instances of every contract, as of now. */
  refresh(): Promise<Services>;
  /** What the monitors of the services have found, of all or of one. */
  reports(service?: string): Promise<readonly InstanceReport[]>;
  /** Every published contract, by name, with its descriptor. */
  contracts(): Promise<ReadonlyMap<string, ContractInfo>>;
}

/** Reads the registry of the platform that `env` names, without being a service. Each read is limited. */
export async function withRegistry<T>({ env, ...limits }: RegistryOptions, use: (reader: RegistryReader) => Promise<T>): Promise<T> {
  const { endpoints, user } = findPlatform(env);
  const etcd = connectEtcd({ endpoints, log: silentLogger, credentials: credentialsFrom(user), requestTimeoutMs: ETCD_REQUEST_MS });
  const namespace = env['TALARIA_NAMESPACE'];
  const registry = etcdRegistry({ etcd, log: silentLogger, ...(namespace ? { namespace } : {}) });
  try {
    // First, as this is refused at once where no etcd is; a watch would wait for one.
    const services = await fromEtcd(endpoints, registry.services(), limits);
    return await use({
      services,
      refresh: () => fromEtcd(endpoints, registry.services(), limits),
      reports: (service) => fromEtcd(endpoints, registry.reports.list(service), limits),
      async contracts() {
        let published: ReadonlyMap<string, ContractInfo> = new Map();
        const watch = registry.watchContracts((contracts) => (published = contracts));
        await fromEtcd(endpoints, watch.ready, limits);
        watch.close();
        return published;
      },
    });
  } finally {
    await registry.close();
    etcd.close();
  }
}
