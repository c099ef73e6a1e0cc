import { seededRandom } from './random.ts';

/** Apps that run in several instances, with how many. */
export const INSTANCES = { 'account-service': 2, 'transaction-service': 3, 'webhook-service': 2 } as const;

/** What runs once, and can be hit as well. */
const SINGLE = ['api-gateway', 'auth-service', 'webhook-api'] as const;

/** One fault, before it is known whom it meets. */
export type Fault =
  | { readonly kind: 'kill' | 'restart'; readonly process: string }
  | { readonly kind: 'freeze'; readonly process: string; readonly ms: number }
  | { readonly kind: 'roll'; readonly app: string }
  | { readonly kind: 'etcd killed' | 'etcd emptied' }
  | { readonly kind: 'etcd frozen'; readonly ms: number }
  | { readonly kind: 'postgres killed' | 'postgres restarted' }
  | { readonly kind: 'slow calls' | 'failing calls' | 'cut calls' | 'lost calls'; readonly service: string; readonly percentage: number; readonly ms: number }
  | { readonly kind: 'receiver fails' | 'receiver hangs'; readonly ms: number };

/** A fault, and when it begins. */
export interface PlannedFault {
  /** Since the faults began, in ms. */
  readonly atMs: number;
  readonly fault: Fault;
}

const SERVICES = ['service.account', 'service.transaction', 'service.webhook'];

/** Of how many faults in all each kind is, more or less. */
const WEIGHTS: readonly (readonly [number, string])[] = [
  [6, 'kill'],
  [4, 'freeze'],
  [4, 'restart'],
  [2, 'roll'],
  [1, 'etcd killed'],
  [1, 'etcd frozen'],
  [1, 'etcd emptied'],
  [1, 'postgres killed'],
  [1, 'postgres restarted'],
  [1, 'slow calls'],
  [1, 'failing calls'],
  [1, 'cut calls'],
  [1, 'lost calls'],
  [1, 'receiver fails'],
  [1, 'receiver hangs'],
];

/** The faults of a run: the same for the same seed and length. They overlap, and the last one begins a second before the end. */
export function planFaults(seed: number, seconds: number): readonly PlannedFault[] {
  const random = seededRandom(seed);
  const kinds = WEIGHTS.flatMap(([weight, kind]) => Array.from({ length: weight }, () => kind));
  const instances = Object.entries(INSTANCES).flatMap(([app, count]) => Array.from({ length: count }, (_, index) => `${app}#${index + 1}`));
  // Mostly those of which there are several: the others are back after a second, in which all fails.
  const processes = [...instances, ...instances, ...SINGLE];
  const one = (): Fault => {
    const kind = random.pick(kinds);
    switch (kind) {
      case 'kill':
      case 'restart':
        return { kind, process: random.pick(processes) };
      case 'freeze':
        return { kind, process: random.pick(processes), ms: random.between(1_000, 5_000) };
      case 'roll':
        return { kind, app: random.pick(Object.keys(INSTANCES)) };
      case 'etcd frozen':
      case 'receiver fails':
      case 'receiver hangs':
        return { kind, ms: random.between(2_000, 5_000) };
      case 'slow calls':
      case 'failing calls':
      case 'cut calls':
      case 'lost calls':
        return { kind, service: random.pick(SERVICES), percentage: random.pick([10, 30, 60]), ms: random.between(2_000, 5_000) };
      default:
        return { kind: kind as 'etcd killed' };
    }
  };
  const planned: PlannedFault[] = [];
  for (let atMs = 500; atMs < seconds * 1_000 - 1_000; atMs += random.between(500, 2_500)) planned.push({ atMs, fault: one() });
  return planned;
}

/** A fault for people. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill -9 ${fault.process}`;
    case 'restart':
      return `SIGTERM ${fault.process}`;
    case 'freeze':
      return `SIGSTOP ${fault.process} for ${fault.ms} ms`;
    case 'roll':
      return `rolling restart of ${fault.app}`;
    case 'slow calls':
    case 'failing calls':
    case 'cut calls':
    case 'lost calls':
      return `${fault.percentage}% ${fault.kind} at ${fault.service} for ${fault.ms} ms`;
    default:
      return 'ms' in fault ? `${fault.kind} for ${fault.ms} ms` : fault.kind;
  }
}
