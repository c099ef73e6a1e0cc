// Calls the service as a caller does, in a process of its own: an open loop, until it is told to stop. Tells what it saw.
import { serviceKeyFrom, staticKeys } from '@talaria/auth';
import { openLoop, type CallRecord } from '@talaria/load';
import { talariaCalls } from './talaria-calls.ts';
import { plainCalls } from './plain-calls.ts';
import type { ProcessOptions } from './behaviour.ts';
import type { CallSeen } from './record.ts';
import { now } from './parent.ts';

/** What a driver is started with. */
export interface DriverOptions extends ProcessOptions {
  /** `plain`: grpc-js alone, with round robin and its own retries. */
  readonly kind: 'talaria' | 'plain';
  /** Of the instances, for `plain`. */
  readonly addresses: readonly string[];
}

/** What a driver is to do. */
export interface Drive {
  /** Calls a second. */
  readonly rate: number;
  /** Calls a second besides which must not be made twice. */
  readonly writes: number;
  readonly deadlineMs: number;
  /** The share of calls that are critical; undefined: calls say nothing of it. */
  readonly critical?: number | undefined;
}

/** How a driver makes one call. */
export interface Calls {
  read(context: { readonly deadlineMs: number; readonly critical: boolean | undefined; readonly onAttempt: (to: string) => void }): Promise<unknown>;
  write(id: string, context: { readonly deadlineMs: number }): Promise<unknown>;
}

const DAY_MS = 86_400_000;

const options = JSON.parse(process.argv[2] ?? '{}') as DriverOptions;
const keys = await staticKeys({ keys: [...options.publicKeys] });
const key = await serviceKeyFrom(options.privateKey);
const calls: Calls = options.kind === 'talaria' ? talariaCalls(options.etcd, keys, key) : await plainCalls(options.addresses, key);

let seen: CallSeen[] = [];
let stop = new AbortController();
let running: Promise<unknown> = Promise.resolve();
let run = 0;
const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? (error as Error).name);

function drive({ rate, writes, deadlineMs, critical }: Drive): void {
  stop = new AbortController();
  const { signal } = stop;
  const attempts = new Map<number, CallSeen['attempts'][number][]>();
  const isCritical = (n: number): boolean | undefined => (critical === undefined ? undefined : n % 100 < critical * 100);
  const begun = now();
  const read = (n: number): Promise<unknown> => {
    const made: CallSeen['attempts'][number][] = [];
    attempts.set(n, made);
    return calls.read({ deadlineMs, critical: isCritical(n), onAttempt: (to) => made.push({ to, at: now() }) });
  };
  const onCall = ({ n, intendedAt, endedAt, error, outcome }: CallRecord): void => {
    const made = attempts.get(n) ?? [];
    attempts.delete(n);
    const failed = outcome === 'succeeded' ? '' : outcome === 'failed' ? codeOf(error) : outcome;
    seen.push({ at: begun + intendedAt, ms: (endedAt ?? now() - begun) - intendedAt, error: failed, critical: isCritical(n) ?? false, attempts: made });
  };
  const each = { durationMs: DAY_MS, signal, drainMs: 2 * deadlineMs };
  const id = `${process.pid}-${run++}`;
  running = Promise.all([openLoop({ ...each, rate, call: read, onCall }), writes > 0 ? openLoop({ ...each, rate: writes, call: (n) => calls.write(`${id}-${n}`, { deadlineMs }) }) : undefined]);
}

process.on('message', (message: { drive?: Drive; take?: true; stop?: true }) => {
  if (message.drive) drive(message.drive);
  if (message.stop) stop.abort();
  if (message.take) {
    process.send?.({ seen });
    seen = [];
  }
  if (message.stop) void running.then(() => process.send?.({ stopped: true, seen }, () => (seen = [])));
});
process.on('disconnect', () => process.exit());
// The first calls of a process compile what they run through.
const warmUp = async (): Promise<void> => {
  for (let warm = 0; warm < 30; warm++) await calls.read({ deadlineMs: 5_000, critical: undefined, onAttempt: () => {} }).catch(() => {});
};
await Promise.all(Array.from({ length: 10 }, warmUp));
process.send?.({ driving: true });
