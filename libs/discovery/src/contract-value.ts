import type { EtcdEntry } from '@talaria/etcd';

/** The value of a contract's key. */
export interface ContractValue {
  readonly service: string;
  readonly file: string;
  /** The SHA-256 of its descriptor. */
  readonly descriptor: string;
}

/** As it is stored: always the same text for the same value. */
export function writeContract({ service, file, descriptor }: ContractValue): string {
  return JSON.stringify({ service, file, descriptor });
}

/** Undefined for what is none. */
export function readContract(entry: EtcdEntry): ContractValue | undefined {
  try {
    const { service, file, descriptor } = JSON.parse(entry.value.toString()) as Record<string, unknown>;
    if (typeof service !== 'string' || typeof file !== 'string' || typeof descriptor !== 'string') return undefined;
    return { service, file, descriptor };
  } catch {
    return undefined;
  }
}
